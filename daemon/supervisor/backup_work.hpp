// The operations `difyd backup` and `difyd backup verify`.
#pragma once

#include <string>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

task<ended> back_up(world& w, std::string id);
// The newest where `backup` is empty.
task<ended> verify_by_operator(world& w, std::string id, std::string backup);

}  // namespace difyd::supervisor
