// Bringing back what died, vanished or is ill, beside what an operation does: only proposals, which the
// director lets through when nothing more urgent runs.
#pragma once

#include <string>
#include <vector>

#include "difyd/health/heal.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

health::heal_policy heal_policy_of(const config::settings& settings);

// Whether this is the time to heal: the stack should be up, and nobody else changes it on purpose.
bool may_heal(const world& w);

// The work of a heal: what is missing is made, what has ended is started, `ill` are restarted, in the order
// of their dependencies; nginx follows what it resolved where that has a new address.
task<ended> heal(world& w, std::string id, std::vector<std::string> ill);

// Restarts the engine's unit through systemd where the engine stays away, with back-off and a budget; says in
// w.engine_given_up that it was no use.
task<void> keep_engine(world& w);

// The unit of the engine, "" where difyd must not restart it: engine.unit, else docker.service where the
// engine is the machine's own. Pure.
std::string engine_unit(const config::settings& settings);

}  // namespace difyd::supervisor
