// Which versions a schema revision belongs to.
#pragma once

#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

// Of the api's containers, as the engine has them.
std::optional<version> running_version(const stack::observed& now);

// Known versions whose image's head is `schema`: by the ledger and by what the share keeps; where neither
// knows one, by asking the api image of what runs, of what is configured, and of the bundles, the newest
// first, as far as it is on the engine. What runs comes first in the list, then what is configured.
task<std::vector<version>> versions_of(world& w, revision schema);

}  // namespace difyd::supervisor
