// Probes on a schedule, and all of them at once when asked.
#pragma once

#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

// Every probe now; also replaces what is known. Bounded by the probes' own limits.
task<std::vector<finding>> probe_everything(world& w);

task<void> keep_probing(world& w);

}  // namespace difyd::supervisor
