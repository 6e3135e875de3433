// Upgrades from the request to the ledger's ending.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "difyd/model/version.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What an operator says with the version.
struct upgrade_terms {
  std::set<std::string> acknowledged;  // ids of advisories
  std::string plan;                    // hash of the plan to carry out; empty: whatever it is
};

task<ended> upgrade_by_operator(world& w, std::string id, version to, upgrade_terms terms);
// Also the first installation. Acknowledges nothing.
task<ended> upgrade_at_start(world& w, std::string id, version to);
// The one that the ledger says is in flight.
task<ended> resume_upgrade(world& w);
// Of the held upgrade `id`, before its point of no return: the old version comes back.
task<ended> put_back_by_operator(world& w, std::string id);

}  // namespace difyd::supervisor
