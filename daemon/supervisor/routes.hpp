// The control API: requests in, wire types out.
#pragma once

#include "difyd/http/server.hpp"
#include "world.hpp"

namespace difyd::supervisor {

http::handler make_routes(world& w);

}  // namespace difyd::supervisor
