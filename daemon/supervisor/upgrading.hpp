// Upgrades from the request to the ledger's ending.
#pragma once

#include <string>
#include <vector>

#include "difyd/model/version.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

task<ended> upgrade_by_operator(world& w, std::string id, version to);
// Also the first installation.
task<ended> upgrade_at_start(world& w, std::string id, version to);
// The one that the ledger says is in flight.
task<ended> resume_upgrade(world& w);

}  // namespace difyd::supervisor
