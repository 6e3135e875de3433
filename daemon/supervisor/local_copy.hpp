// A copy of the ledger on the machine's own disk: evidence that something was deployed from here, where
// the storage knows of nothing. It is never acted on, and says nothing on another machine.
#pragma once

#include <optional>

#include "world.hpp"

namespace difyd::supervisor {

// No deployment, no upgrade in flight, no history.
bool nothing_known(const ledger::record& book);

std::string copy_path(const config::settings& settings);

// What was deployed by the copy, where this machine wrote it.
task<std::optional<version>> deployed_here_before(world& w);

// Writes the copy whenever the ledger has changed, for as long as the daemon runs.
task<void> keep_local_copy(world& w);

}  // namespace difyd::supervisor
