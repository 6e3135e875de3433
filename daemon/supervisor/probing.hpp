// The probes at work: each on its own schedule, and all of them at once when asked.
#pragma once

#include <vector>

#include "difyd/base/task_group.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What is known without a probe (known.hpp), and what the last probes found.
std::vector<finding> findings_now(const world& w);

// The same, with every probe made anew and nothing damped: what was found a while ago may be mended, or
// worse. Bounded by twice the probes' own limits; a probe that is at work already is not asked beside itself.
task<std::vector<finding>> probe_everything(world& w);

// One loop for each, children of `owner`: a probe that hangs delays no other.
void start_probing(world& w, task_group& owner);

}  // namespace difyd::supervisor
