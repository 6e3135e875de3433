// The operator's own program at named points of an upgrade.
#pragma once

#include <string>

#include "world.hpp"

namespace difyd::supervisor {

// Runs upgrade.hook, where one is configured, with DIFYD_HOOK=<point> and DIFYD_UPGRADE=<id>, the upgrade on
// its standard input as `difyd history --json` shows it. Bounded; its output becomes events. It decides
// nothing, except that exit code 75 is the error "hook-not-now": for the point before the stop.
task<Result<>> run_hook(world& w, std::string point, control::past_upgrade upgrade);

}  // namespace difyd::supervisor
