// Dify stopped, and proof of it: what an upgrade and a restore begin with.
#pragma once

#include <string>
#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

// No session of the Dify role but difyd's own on the databases, within 15 s. Error "sessions-left".
task<Result<>> prove_silence(world& w);

// Two services on one data directory destroy it: what `what` does not know is removed, and proven gone,
// before any of its own data services starts.
task<Result<>> remove_strangers(world& w, release_ptr what, std::string operation);

// The maintenance page goes up, and everything stops that has a container and is neither infrastructure nor a
// bystander of `what`, whichever version it is of.
task<Result<>> stop_dify(world& w, release_ptr what, std::string operation);

}  // namespace difyd::supervisor
