// A release of a version, as the supervisor works with it.
#pragma once

#include <optional>

#include "difyd/release/advisories.hpp"
#include "world.hpp"

namespace difyd::supervisor {

enum class laying_out {
  yes,  // the working copy is made or brought up to date: the release is about to run
  no    // nothing is touched: the release as it would be
};

enum class origin {
  bundle,    // as it is below releases.source now: what an operator asks for
  in_force,  // as it was deployed, or is being deployed: from the share where this machine has it not, or
             // other
  taking_in  // as in force, but for the overlay, which is as its folder is now: what `difyd up` does
};

// `carried_from`: the version whose environment is in force, from which what never changes silently is
// carried forward; unset at the first installation. Runs on the files lane.
// Errors: those of release::assemble, release::preview and release::read_overlay, of source_in_force,
// overlay_in_force and environment_in_force.
task<Result<release_ptr>> load_release(world& w, version which, std::optional<version> carried_from,
                                       laying_out how, origin from);

// What applies to a hop of this installation, from the file as it is now. Errors: those of
// release::load_advisories, find_bundle and derive_environment.
task<Result<std::vector<release::advisory>>> advisories_of(world& w, version from, version to);

// Which of these ids are not of the hop, whose advisories are `applying`. Error "no-such-advisory".
task<Result<std::vector<std::string>>> not_of_the_hop(world& w, std::vector<release::advisory> applying,
                                                      std::set<std::string> acknowledged, version to);

// For a stack that is down when the daemon starts: sets the release in force from the ledger, without
// touching a file, where none is in force yet.
task<void> know_release(world& w);

}  // namespace difyd::supervisor
