// What an image of the api knows of the schema, asked in one-off containers without network, database
// or secrets.
#pragma once

#include <string>
#include <vector>

#include "difyd/control/plan.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// One of the image's migrations (Alembic calls it a script).
struct migration_script {
  std::string revision;
  std::vector<std::string> down;  // what it follows; several: a merge
  std::string text;               // the first line of its description
  std::string commits;            // what in it commits midway, as in planned_migration

  friend bool operator==(const migration_script&, const migration_script&) = default;
};

// `flask db heads` of an image: needs no database (Dify FACTS section c).
task<Result<revision>> image_head(world& w, std::string image);

// All of the image's migrations, in no order. Their files are read, not run. What commits midway is
// searched in what an upgrade executes: autocommit blocks, COMMIT, indexes that are built concurrently.
task<Result<std::vector<migration_script>>> image_scripts(world& w, std::string image);
Result<std::vector<migration_script>> parse_scripts(std::string_view json);

// Those that lead from the revision of the database (empty: of an empty one) to `head`, in the order in
// which they run. Errors: "revision-unknown", "image-scripts-unknown". Pure.
Result<std::vector<control::planned_migration>> pending(const std::vector<migration_script>& scripts,
                                                        const revision& from, const revision& head);

// "no migration", "3 migrations, 1 commits midway".
std::string count_text(const std::vector<control::planned_migration>& migrations);

// Removes the containers of this file that a killed daemon left behind.
task<void> sweep_leftovers(world& w);

}  // namespace difyd::supervisor
