// A release that is asked for and not here: unpacked from an archive below releases.source, or fetched from
// releases.url.
#pragma once

#include <string>

#include "world.hpp"

namespace difyd::supervisor {

// Whether `have_bundle` would ask the network for it.
task<bool> must_be_fetched(world& w, version which);

// Does nothing where the version has a folder below releases.source, or where there is no way to get one:
// find_bundle then says what there is. An archive that was fetched is removed once it is unpacked.
// `operation`: whose events tell of it; may be empty. What ends it in the middle leaves nothing that would be
// taken for a release. Errors: those of host::fetch_release, host::read_release and release::lay_out_checked.
task<Result<>> have_bundle(world& w, version which, std::string operation);

// Removes what broken downloads left of this version and older ones.
task<void> prune_parts(world& w, version newest);

}  // namespace difyd::supervisor
