// The backups that are there: folders in .difyd/backups of the storage root, each with its manifest.
#pragma once

#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "world.hpp"

namespace difyd::supervisor {

std::string backup_folder(const world& w, const std::string& id);

// Size and hash of each file, by a program of its own: a share that hangs must not hold the daemon.
task<Result<std::vector<backup_file>>> sums_of(std::string folder, std::vector<std::string> names,
                                               duration limit);

// Everything that the folder holds is on the disk before the manifest is written and says so.
task<Result<>> complete_backup(world& w, backup_manifest* manifest);

// Folders of an attempt that did not come to its end.
task<void> remove_unfinished(world& w, std::string operation);

// Those of a daemon that was killed; one operation at a time takes backups.
task<void> remove_abandoned(world& w);

// Reads the manifests anew into w.backups.
task<Result<>> read_backups(world& w);
// Removes what is beyond upgrade.keep_backups.
task<void> prune_backups(world& w, std::string operation);

// "dify.dump 12.3 MiB, ..."
std::string content_text(const backup_manifest& manifest);

}  // namespace difyd::supervisor
