// On-demand backups by Cloud SQL itself, through its Admin API. The token is the machine's own, from the
// metadata server. The real API has not been seen; tests replay the answers of platform facts 3.6.
#pragma once

#include <string>
#include <vector>

#include "cloudsql_rules.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Of every configured instance, at once; waits until each is successful. One of the same `operation` that is
// there already counts. Errors: "cloudsql-denied", "cloudsql-unknown", "cloudsql-failed", "cloudsql-timeout".
task<Result<std::vector<cloud_run>>> take_cloud_backups(world& w, std::string operation, std::string what);

}  // namespace difyd::supervisor
