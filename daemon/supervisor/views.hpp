// What the control API shows: snapshots of the world as wire types.
#pragma once

#include <string>
#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

control::status status_of(const world& w);
std::vector<control::migration> migrations_of(const ledger::record& book);
std::vector<control::past_upgrade> history_of(const ledger::record& book);

// What an upgrade to `version` (empty: nothing but converging) would do; changes nothing.
task<Result<control::plan>> plan_of(world& w, std::string version);

}  // namespace difyd::supervisor
