// `difyd repin`: the ledger is made to say what the database proves.
#pragma once

#include "difyd/control/wire.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Why it may not be asked for now; errors "upgrade-in-flight", "not-ready", "not-held".
Result<> may_repin(const world& w, const version& which);

// Proves that the version's image has the database's revision as its head, keeps the release as it is here
// now, and makes it the deployed one. Whatever fails, nothing is changed. Error "revision-mismatch", others.
task<Result<>> make_deployed(world& w, std::string id, version which);

// The same, and starts it.
task<ended> repin(world& w, std::string id, version which);

}  // namespace difyd::supervisor
