// What the control API shows: snapshots of the world as wire types.
#pragma once

#include <string>
#include <vector>

#include "difyd/control/plan.hpp"
#include "world.hpp"

namespace difyd::supervisor {

control::status status_of(const world& w);
// The steps of an upgrade as its journal has them; one that begun and was begun again, or whose end
// the process did not live to write, was interrupted.
std::vector<control::step_status> steps_of(const std::vector<ledger::journal_entry>& entries);
// The upgrade that the ledger has in flight, running or held.
std::optional<control::operation_status> operation_of(const ledger::record& book);
// `running`: the upgrade whose migrator this process runs.
std::vector<control::migration> migrations_of(const ledger::record& book, const std::string& running,
                                              wall_time now);
std::vector<control::owed_command> commands_of(const ledger::record& book, const std::string& running);
std::vector<control::past_upgrade> history_of(const ledger::record& book);

// What an upgrade to `version` (empty: nothing but converging) would do; changes nothing.
task<Result<control::plan>> plan_of(world& w, std::string version);

}  // namespace difyd::supervisor
