// difyd-health as a child, where no systemd unit runs it: the demo, a foreground `difyd serve`.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd::supervisor {

// Keeps the program running until cancelled, then ends it. Starts it again when it dies.
task<void> keep_health_child(std::vector<std::string> argv);

}  // namespace difyd::supervisor
