// Which version a start runs, and how (DESIGN section 5, Start, steps 6 and 7). Pure.
#pragma once

#include <optional>
#include <string>

#include "difyd/model/revision.hpp"
#include "difyd/model/version.hpp"

namespace difyd::supervisor {

struct start_facts {
  std::optional<version> configured;
  std::optional<version> metadata;   // asked for by the instance's metadata
  std::optional<version> deployed;   // by the ledger
  std::optional<version> in_flight;  // target of an upgrade that is under way
  bool held = false;                 // that upgrade is held
  bool settled = false;              // it was up before in this run of the daemon
  revision ledger_revision;          // of the deployed version
  std::optional<revision> database;  // nullopt: not known yet (bundled database that is down)
};

enum class start_action { install, run, upgrade, resume, hold };

struct start_choice {
  start_action action = start_action::hold;
  std::optional<version> target;
  std::string reason;   // why it holds
  std::string warning;  // worth telling although it goes on
};

start_choice choose_start(const start_facts& facts);

}  // namespace difyd::supervisor
