// Probes on a schedule, and all of them at once when asked.
#pragma once

#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

// What is known without a probe (known.hpp), and what the last probes found.
std::vector<finding> findings_now(const world& w);

// The same, with every probe made anew. Bounded by the probes' own limits.
task<std::vector<finding>> probe_everything(world& w);

task<void> keep_probing(world& w);

}  // namespace difyd::supervisor
