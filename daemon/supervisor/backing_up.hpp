// Taking and verifying backups.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup_store.hpp"
#include "client_job.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

struct backup_wish {
  std::string operation;      // id, of the upgrade where there is one
  version of;                 // whose database and environment it is
  std::optional<version> to;  // of the upgrade that it is taken in
  std::string kind;           // pg_dump, cloudsql or command
  bool half_migrated = false;
  std::vector<cloud_run> runs{};  // cloudsql: taken already
};

// Writes its manifest last; what fails leaves no folder. `on`: whose networks are used. Errors
// "backup-failed", "backup-not-now".
task<Result<backup_manifest>> take_backup(world& w, release_ptr on, backup_wish wish);

// Hashes, and each dump read back. Error "backup-damaged".
task<Result<>> verify_backup(world& w, release_ptr on, backup_manifest manifest, std::string operation);

}  // namespace difyd::supervisor
