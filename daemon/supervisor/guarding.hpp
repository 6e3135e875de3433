// The guard over an upgrade's engine and databases, from the proof of silence to the commit.
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// What may be on the engine, before anything of the release was started or since.
upgrade::guarded guard_rules(const world& w, std::string id, const compose::project& project, bool started);

// While w.guarded has rules: what they do not allow is ended and reported, a container as soon as the engine
// tells that it started, a session within about a second. In a hold, containers only.
task<void> keep_guard(world& w);

}  // namespace difyd::supervisor
