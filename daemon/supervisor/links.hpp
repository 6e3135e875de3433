// The connections that the world is made of: ledger, database, lease.
#pragma once

#include <string>

#include "difyd/host/probes.hpp"
#include "world.hpp"

namespace difyd::supervisor {

host::storage_expectation storage_expectation(const config::settings& settings);

// Storage first: nothing else is touched on a storage root that is not proven
// (DESIGN section 5, Start, step 3). Errors: of host's share and mounts.
task<Result<>> prove_storage(world& w);

// Opens the ledger below the storage root, once.
task<Result<>> open_ledger(world& w);

// Where PostgreSQL is: the configured host, or the address of the container of the stack's
// own service. Error "database-not-up" where that container does not run.
Result<database::endpoint> database_endpoint(const world& w);

// Makes `w.database` for the endpoint of now; keeps the present one where that did not move.
Result<> link_database(world& w);

// One attempt to have the lease. False: another machine holds it (lease_text says who).
task<Result<bool>> take_lease(world& w);

// Waits for the lease as long as it takes, in phase waiting-for-lease.
task<void> await_lease(world& w);

// Renews the lease for as long as the daemon runs; a lost one is taken again.
task<void> keep_lease(world& w);

// Reads the main database's schema revision into `w.schema`.
task<Result<revision>> read_schema(world& w);

}  // namespace difyd::supervisor
