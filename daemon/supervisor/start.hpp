// The start of the stack: storage, ledger, lease, version, revision, convergence.
#pragma once

#include <string>

#include "ended.hpp"
#include "load_release.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Safe to repeat: brings everything to where it should be, or says in the phase why not.
task<ended> start_up(world& w, std::string id);
// The same as an operator asks for it: takes in what the overlay is now.
task<ended> up_by_operator(world& w, std::string id);

// Brings the deployed version up as it was deployed, once everything before it is proven: storage, ledger,
// and the lease where the database is not the stack's own.
task<ended> run_deployed(world& w, version which, std::string id, origin from = origin::in_force);

// Reads what ledger and working copies know, as far as the storage is there; changes nothing.
task<void> learn(world& w);

// Phase stopped, which does not hide a hold.
void stand_stopped(world& w);

// For a look without the daemon, after learn(): the phase that a daemon would be in, by what is known. What
// was deployed is meant to serve; an upgrade or a restore that is not finished has things down on purpose.
void stand_as_known(world& w);

}  // namespace difyd::supervisor
