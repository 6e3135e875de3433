// Upgrades from the request to the ledger's ending.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "difyd/model/version.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// `acknowledged`: ids of advisories.
task<ended> upgrade_by_operator(world& w, std::string id, version to, std::set<std::string> acknowledged);
// Also the first installation. Acknowledges nothing.
task<ended> upgrade_at_start(world& w, std::string id, version to);
// The one that the ledger says is in flight.
task<ended> resume_upgrade(world& w);

}  // namespace difyd::supervisor
