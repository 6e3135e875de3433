// The guard over an upgrade's engine and databases, from the proof of silence to the commit.
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// While w.guarded has rules: what they do not allow is killed or ended within about a second, and reported.
task<void> keep_guard(world& w);

}  // namespace difyd::supervisor
