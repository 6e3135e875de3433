// Backups in .difyd/backups of the storage root: taking, listing, verifying, removing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "client_job.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

std::string backup_folder(const world& w, const std::string& id);

struct backup_wish {
  std::string operation;      // id, of the upgrade where there is one
  version of;                 // whose database and environment it is
  std::optional<version> to;  // of the upgrade that it is taken in
  std::string kind;           // pg_dump or command
  bool half_migrated = false;
};

// Writes its manifest last; what fails leaves no folder. `on`: whose networks are used. Errors
// "backup-failed", "backup-not-now".
task<Result<backup_manifest>> take_backup(world& w, release_ptr on, backup_wish wish);

// Folders of an attempt that did not come to its end.
task<void> remove_unfinished(world& w, std::string operation);

// Hashes, and each dump read back. Error "backup-damaged".
task<Result<>> verify_backup(world& w, release_ptr on, backup_manifest manifest, std::string operation);

// Reads the manifests anew into w.backups.
task<Result<>> read_backups(world& w);
// Removes what is beyond upgrade.keep_backups.
task<void> prune_backups(world& w, std::string operation);

// "dify.dump 12.3 MiB, ..."
std::string content_text(const backup_manifest& manifest);

}  // namespace difyd::supervisor
