// What a release needs on the storage before its containers start: the files that its bundle ships below
// volumes/, the folders that it binds, and Dify's own folder for Dify's uid.
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// On a storage that is proven, through the helper. Waits for another machine that is at it; one that does not
// move for half a minute is taken to be dead. Errors: prove_storage's, of host::share::lay_out,
// "share-seeding".
task<Result<>> lay_out_storage(world& w, release_ptr what);

// Gives what lies in app/storage to Dify's uid: an older release ran as root, files are restored as root, and
// init_permissions of the release does it once only. Gives a sentence, empty where all was well.
task<Result<std::string>> own_storage(world& w);

// Dify's containers run as uid 1001 since 1.10.1; what an older one wrote until its stop is root's.
bool ran_as_root(const version& which);

}  // namespace difyd::supervisor
