// Where the record of replacements is kept: below .difyd/replacements of the share, and beside the lease in
// the database. Each is written where it answers, and what one has and the other lacks is copied, so that
// either is enough on the next machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "difyd/database/server.hpp"
#include "difyd/health/replacements.hpp"
#include "difyd/host/share.hpp"

namespace difyd::health {

struct replacement_places {
  std::optional<host::share> share;            // unset: away, or not proven to be the right one
  std::shared_ptr<database::server> database;  // null: not known
  std::string own_database;                    // the lease's own
  std::string main_database;                   // whose schema difyd is used where that is not there
};

// What either place knows. Error "replacements-unknown" where neither could be read.
task<Result<std::vector<replacement>>> read_replacements(replacement_places where, policy rules,
                                                         wall_time now);

// Durable in one place at least. Error "replacement-not-written".
task<Result<>> write_replacement(replacement_places where, replacement asked);

}  // namespace difyd::health
