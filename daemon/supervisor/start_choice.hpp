// Which version a start runs, and how (DESIGN section 5, Start, steps 6 and 7). Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/model/revision.hpp"
#include "difyd/model/version.hpp"

namespace difyd::supervisor {

struct start_facts {
  std::optional<version> configured;
  std::optional<version> metadata;   // asked for by the instance's metadata
  std::optional<version> deployed;   // by the ledger
  std::optional<version> local;      // by this machine's copy of a ledger that the storage does not have
  std::optional<version> in_flight;  // target of an upgrade that is under way
  bool held = false;                 // that upgrade is held
  bool settled = false;              // it was up before in this run of the daemon
  bool at_hand = true;               // what an upgrade needs is on this machine; asked for only before one
  revision ledger_revision;          // of the deployed version
  std::optional<revision> database;  // nullopt: not known yet (bundled database that is down)
  // Known versions whose image's head is the database's revision, the likeliest first; asked for only where
  // `disagree` says so.
  std::vector<version> fitting;
};

// run_then_upgrade: what is deployed serves first, as what the upgrade needs takes long to come.
enum class start_action { install, run, upgrade, run_then_upgrade, resume, adopt, hold };

struct start_choice {
  start_action action = start_action::hold;
  std::optional<version> target;
  std::string reason;                // why it holds
  std::string warning;               // worth telling although it goes on
  std::vector<std::string> options;  // of a hold
};

// The database holds a revision that is not the ledger's.
bool disagree(const start_facts& facts);

start_choice choose_start(const start_facts& facts);

// Before the next start, after so many in a row in which a service did not come up: 2, 4, 8 ... 60 s.
duration pause_before_start(int failed);

}  // namespace difyd::supervisor
