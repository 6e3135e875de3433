// The folder that a release runs from: <state_dir>/releases/dify-<version>/docker, a copy of
// the bundle whose volumes/ is a link to the storage root.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/compose/project.hpp"
#include "difyd/config/settings.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/environment.hpp"
#include "difyd/release/overlay.hpp"

namespace difyd::release {

struct release {
  difyd::version version;
  std::string folder;       // of the working copy; the project directory
  std::string bundle;       // docker folder of the bundle that it was made from
  std::string bundle_hash;  // sha256 over names and contents of the bundle's files
  overlay laid_over;
  effective_environment environment;
  compose::project project;
  std::vector<std::string> warnings;
};

// Folder of the working copy of a version.
std::string working_copy(const config::settings& settings, const difyd::version& which);

// Text of the .env of a working copy, nullopt where there is none: the environment in force.
Result<std::optional<std::string>> environment_of(const std::string& folder);

// Writes the .env at `path`: 0640, group docker where there is one (docker compose ps reads it). What difyd
// wrote last is known by a hash beside the copy's folder.
Result<> put_environment(const std::string& path, const std::string& text);

// Copies the bundle and the overlay (once; again where their content changed), links volumes/ to the storage
// root, and writes .env; one that a human wrote is kept beside the copy's folder as env.before (0600).
// Blocks; does not touch the storage root. Errors: "file-io", "disk-full".
Result<std::string> prepare(const bundle& from, const overlay& over, const config::settings& settings,
                            const effective_environment& environment);

// The project as docker compose would act on it, from the working copy. Blocks.
// Errors: compose::load's, "database-unsupported", "database-not-in-stack".
Result<compose::project> resolve(const config::settings& settings, const difyd::version& which,
                                 const std::string& folder);

// Paths below the storage root that the project binds: what must be there before its containers start. What
// the bundle ships below its volumes/ is put there first, the rest are folders (host::share::lay_out). Pure.
std::vector<std::string> bind_folders(const compose::project& project, const config::settings& settings);

// find_bundle, derive_environment, prepare and resolve in one. `in_force`
// as for derive_environment. Blocks.
Result<release> assemble(const config::settings& settings, const difyd::version& which,
                         const std::optional<std::string>& in_force, const overlay& over = {});

// The same without touching a file: the project as it would be in the working copy. For
// `difyd plan` and the admission of an upgrade. Blocks (reads the bundle).
Result<release> preview(const config::settings& settings, const difyd::version& which,
                        const std::optional<std::string>& in_force, const overlay& over = {});

}  // namespace difyd::release
