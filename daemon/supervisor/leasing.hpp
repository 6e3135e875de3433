// The lease: one machine at a time may run Dify on these databases (DESIGN section 5, Lease).
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// Who asks for it: this machine, with this project.
database::identity identity_of(const world& w);

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

}  // namespace difyd::supervisor
