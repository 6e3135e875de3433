// Dumps of a backup, read into databases of their own: for a restore, and for a rehearsal.
#pragma once

#include <string>
#include <vector>

#include "client_job.hpp"

namespace difyd::supervisor {

struct load_order {
  std::string backup;
  std::vector<database::new_name> databases;  // one of the new name that is there already is dropped first
  std::string through;                        // database to connect to, to make them
  std::string image;                          // with pg_restore
};

// `job` says whose work it is, and on which server. Errors: run_client's, with a remedy where only an
// administrator may create an extension.
task<Result<>> load_into(world& w, release_ptr on, client_job job, load_order what);

}  // namespace difyd::supervisor
