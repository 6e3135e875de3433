// The probes of what keeps Dify's data: PostgreSQL, the vector database, Redis, object storage.
#pragma once

#include <vector>

#include "world.hpp"

namespace difyd::supervisor {

// Main and plugin database. Sets w.migrator_seen on the way.
task<std::vector<finding>> look_at_database(world& w);
// A pgvector database of its own; nothing where there is none.
task<std::vector<finding>> look_at_vector(world& w);
task<std::vector<finding>> look_at_redis(world& w);
task<std::vector<finding>> look_at_object_storage(world& w);

}  // namespace difyd::supervisor
