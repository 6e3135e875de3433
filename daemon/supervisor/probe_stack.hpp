// The probes of the stack itself: engine, services, what answers on the published port, the environment.
#pragma once

#include <vector>

#include "difyd/compose/project.hpp"
#include "difyd/health/probes.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// The engine, and whether its events still come. Learns the engine's data root on the way.
task<std::vector<finding>> look_at_engine(world& w);
// From what was observed last: no call.
task<std::vector<finding>> look_at_services(world& w);
task<std::vector<finding>> look_at_port(world& w);
// The api's version, and whether Dify was set up; once it was, .difyd/set-up of the storage says so.
task<std::vector<finding>> look_at_dify(world& w);
// The .env of the working copy against the environment in force.
task<std::vector<finding>> look_at_environment(world& w);

// The services that are to have containers: not those of scale 0. Pure.
std::vector<health::expected_service> services_of(const compose::project& project);

// Names of the keys in which two environments differ, never their values. Pure.
std::vector<std::string> keys_that_differ(const std::string& one, const std::string& other);

}  // namespace difyd::supervisor
