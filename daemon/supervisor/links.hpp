// What the world is connected to: storage, ledger, database.
#pragma once

#include <string>

#include "difyd/host/probes.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What the configuration says, and what is known of the storage by now.
host::storage_expectation storage_expectation(const world& w);

// Storage first: nothing else is touched on a storage root that is not proven
// (DESIGN section 5, Start, step 3). Errors: of host's share and mounts.
task<Result<>> prove_storage(world& w);

// Reads the identity that the storage has into `w.share`, "" where it has none yet. Errors: of host's share.
task<Result<>> read_share_identity(world& w);

// Opens the ledger below the storage root, or reads it again, and the storage's identity. Where the storage
// knows of nothing, what this machine knows of it is in w.local.
task<Result<>> open_ledger(world& w);

// As a group of the configuration names a server.
template <class Group>
database::endpoint endpoint_of(const Group& given) {
  database::endpoint where;
  where.host = given.host;
  where.port = given.port;
  where.user = given.user;
  where.password = given.password.reveal();
  where.sslmode = given.sslmode;
  where.ca_file = given.ca_file;
  return where;
}

// Where PostgreSQL is: the configured host, or the address of the container of the stack's
// own service. Error "database-not-up" where that container does not run.
Result<database::endpoint> database_endpoint(const world& w);

// Makes `w.database` for the endpoint of now; keeps the present one where that did not move.
Result<> link_database(world& w);

// Links the database; where it is the stack's own, after its services were brought up: an interruption may
// have left them down, and the lease with them.
task<Result<>> reach_database(world& w, release_ptr what, const std::string& operation);

// Reads the main database's schema revision into `w.schema`.
task<Result<revision>> read_schema(world& w);

}  // namespace difyd::supervisor
