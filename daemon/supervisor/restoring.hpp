// `difyd rollback --restore`: a backup takes the place of what is there. Journaled in the ledger, so that
// the next start finishes it.
#pragma once

#include <string>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

task<Result<control::restore_plan>> plan_restore(world& w, std::string backup);

// Everything that it needs is checked, and the dumps are loaded beside the databases, before anything stops:
// until then it is refused. What fails before the swap leaves everything as it was; what fails later holds.
task<ended> restore_by_operator(world& w, std::string id, std::string backup);

// Of the restore in flight, from where its stage says. `id` is the operation that goes on with it.
task<ended> resume_restore(world& w, std::string id);

}  // namespace difyd::supervisor
