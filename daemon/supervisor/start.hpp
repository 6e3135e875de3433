// The start of the stack: storage, ledger, lease, version, revision, convergence.
#pragma once

#include <string>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Safe to repeat: brings everything to where it should be, or says in the phase why not.
task<ended> start_up(world& w, std::string id);

}  // namespace difyd::supervisor
