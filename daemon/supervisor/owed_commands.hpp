// One-off commands that advisories name (DESIGN section 5, step start): in one-off containers of a service,
// those for before an upgrade while the old version serves, the others after the commit, while the new one
// serves. What is owed is in the ledger, so a command outlives the daemon, and the machine.
#pragma once

#include <string>
#include <vector>

#include "difyd/release/advisories.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What an upgrade to `to` owes once it is committed. Pure.
std::vector<ledger::owed_command> owed_by(const std::vector<release::advisory>& heeded, const version& to);

// As part of step prepare, on the release that serves. Error "command-failed".
task<Result<>> run_before_upgrade(world& w, release_ptr on, release::advisory of, std::string command,
                                  std::string upgrade);

// Runs what is owed, one after the other, while Dify serves; never ends. A command that was begun by a daemon
// that is gone is waited for.
task<void> keep_commands(world& w);

// Ends and removes the containers of commands, all or an advisory's. They are owed still.
task<Result<>> end_commands(world& w, std::string advisory = {});

enum class command_wish { run, drop };

Result<> is_owed(const ledger::record& book, const std::string& advisory);
Result<> no_command_running(const world& w, const std::string& what);
task<ended> settle_commands(world& w, std::string advisory, command_wish what);

}  // namespace difyd::supervisor
