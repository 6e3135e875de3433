// The connections that the world is made of: ledger, database, lease.
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

// Whose the lease is after an attempt to have it.
enum class grip {
  held,
  inherited,  // held, and another machine had it last: the ledger in memory may be old
  open,       // nobody else's: another one looks at it just now, or our former session has not ended yet
  lost        // another machine's
};
inline bool has_lease(grip how) { return how == grip::held || how == grip::inherited; }

// One attempt to have the lease; lease_text says how it ended.
task<Result<grip>> take_lease(world& w);

// The lease, or error "lease-lost".
task<Result<>> need_lease(world& w);

// Links the database; where it is the stack's own, after its services were brought up: an interruption may
// have left them down, and the lease with them.
task<Result<>> reach_database(world& w, release_ptr what, const std::string& operation);

// Whether the lease is ours for as long as what is begun now may take. Where another machine has it, or had
// it meanwhile, the process ends: what runs here, and the journal, are no longer for us to change.
task<Result<>> still_ours(world& w);
// Ends the process. Its next start waits for the lease, and stops what runs here.
[[noreturn]] void end_without_lease(world& w);

// Waits for the lease as long as it takes, in phase waiting-for-lease; what runs here is stopped where
// another machine has it. Errors: "share-foreign"; the stack's own database does not run, or does not answer
// for 30 s.
task<Result<>> await_lease(world& w);

// Tells other machines that the lease is held, and whether the stack may be at work here.
task<Result<>> renew_lease(world& w);

// Renews the lease for as long as the daemon runs; a lost one is taken again.
task<void> keep_lease(world& w);

// Reads the main database's schema revision into `w.schema`.
task<Result<revision>> read_schema(world& w);

}  // namespace difyd::supervisor
