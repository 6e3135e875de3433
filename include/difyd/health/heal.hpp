// Proposals to bring back what died, with back-off and a budget. Pure; the director decides.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "difyd/base/clock.hpp"

namespace difyd::health {

enum class service_condition { running, healthy, unhealthy, exited, missing };

// One service that should run, in dependency order (nginx after what it resolves).
struct service_state {
  std::string name;
  service_condition condition = service_condition::running;
};

struct heal_policy {
  std::chrono::seconds first_delay{2};  // doubled per attempt
  std::chrono::seconds longest_delay{120};
  int budget = 5;  // restarts of one service within `budget_window`
  std::chrono::seconds budget_window{1800};
};

// Times of the restarts made so far, per service, oldest first.
using heal_history = std::map<std::string, std::vector<wall_time>>;

enum class heal_act { restart, recreate, wait, give_up };

struct proposal {
  std::string service;
  heal_act act = heal_act::restart;
  std::string cause;       // one sentence
  wall_time not_before{};  // act == wait: when to look again

  friend bool operator==(const proposal&, const proposal&) = default;
};

// Proposals in the order of `services`; nothing for a service that is well. `give_up` becomes
// a finding (row 6), never a new VM.
std::vector<proposal> heal(const std::vector<service_state>& services, const heal_policy& rules,
                           const heal_history& history, wall_time now);

// Services that were restarted a moment ago (`longest_delay`) and have budget left: not called broken yet.
std::set<std::string> recovering(const heal_history& history, const heal_policy& rules, wall_time now);

// Services that have used their budget up, lately, with a sentence each.
std::map<std::string, std::string> looping(const heal_history& history, const heal_policy& rules,
                                           wall_time now);

// Drops what no longer counts.
void forget(heal_history& history, const heal_policy& rules, wall_time now);

}  // namespace difyd::health
