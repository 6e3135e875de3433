// Dumps of a backup, read into databases of their own: for a restore, and for a rehearsal.
#pragma once

#include <string>
#include <vector>

#include "client_job.hpp"

namespace difyd::supervisor {

// Each of `databases` becomes <database><suffix>; one that is there already is dropped first. `job` says
// whose work it is. Errors: run_client's, with a remedy where only an administrator may create an extension.
task<Result<>> load_into(world& w, release_ptr on, client_job job, std::string backup,
                         std::vector<std::string> databases, std::string suffix);

}  // namespace difyd::supervisor
