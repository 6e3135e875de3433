// The releases that the share keeps (release/kept.hpp): written while the release is here, read where it
// is not.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "difyd/release/kept.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Who this machine is, in what is kept and in the local copy of the ledger.
std::string this_machine();

// nullopt: nothing is kept of that version. Errors: host::share's, "kept-damaged".
task<Result<std::optional<release::kept>>> read_kept(world& w, version which);

// Keeps a release whose images are here, verified by reading it back; does nothing where the same is kept
// already. `head`: of its api image.
task<Result<>> keep_release(world& w, release_ptr what, revision head);

// What the ledger says of a release that runs; `ids` by image.
ledger::deployment deployment_of(const release::release& what, const std::map<std::string, std::string>& ids,
                                 revision head);

// Versions of which something is kept.
task<std::vector<version>> kept_versions(world& w);

// Removes what is kept of versions that the ledger does not need any more.
task<void> prune_kept(world& w);

// The folder below which the bundle in force is found: releases.source, or a place of its own where the
// operator edited the one there. With `restore` a missing one is laid out from the share.
task<Result<std::string>> source_in_force(world& w, version which, bool restore);

// The overlay of a release in force: that which the share keeps. Unset: the folder as it is now, which is the
// same one, or the only one that is known; or with `take_in`, but during an upgrade or a restore.
task<Result<std::optional<release::overlay>>> overlay_in_force(world& w, version which, bool take_in);

// Text of the environment that was in force for a version: this machine's, unless another one ran it
// since; nullopt where nobody knows, which is an error unless the configuration has a SECRET_KEY of its own:
// "environment-unknown".
task<Result<std::optional<std::string>>> environment_in_force(world& w, version which);

// The images of a version in force, exactly those that ran, on a machine that did not run it yet; what it
// ran itself is left as it is. Errors: "image-differs", the engine's.
task<Result<>> images_in_force(world& w, version which);

}  // namespace difyd::supervisor
