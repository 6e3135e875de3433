// The probes of the daemon: what each looks at, how often, and how long it may take.
#pragma once

#include <string>
#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

struct probe {
  std::string name;
  int every = 1;  // in health.probe_interval
  duration limit{std::chrono::seconds(20)};
  bool damped = true;  // an answer may get lost: one look is no proof
  task<std::vector<finding>> (*look)(world&) = nullptr;
};

// In the order in which people read their findings.
const std::vector<probe>& probes();

// Names of them, for the board.
std::vector<std::string> probe_names();

// Whether the stack should show what its project says: nothing while an operation takes it apart on purpose.
bool stack_is_meant(const world& w);

}  // namespace difyd::supervisor
