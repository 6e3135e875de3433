// backup.json of a backup's folder, and what is decided from such manifests. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloudsql_rules.hpp"
#include "difyd/base/clock.hpp"
#include "difyd/base/error.hpp"
#include "difyd/control/wire.hpp"
#include "difyd/ledger/record.hpp"

namespace difyd::supervisor {

inline constexpr const char* manifest_file = "backup.json";

struct backup_file {
  std::string name;  // in the folder
  std::uint64_t bytes = 0;
  std::string sha256;

  friend bool operator==(const backup_file&, const backup_file&) = default;
};

// Written last and durably: a folder without it is no backup.
struct backup_manifest {
  std::string id;    // name of the folder
  wall_time time{};  // when the first dump began, in whole seconds: what was committed before is in it
  std::string kind;  // pg_dump, cloudsql, command
  difyd::version version;
  difyd::revision revision;  // of the main database
  std::string upgrade;       // id of the upgrade that it was taken in; empty: asked for
  bool writes_stopped = false;
  bool half_migrated = false;          // taken after a migration had moved the database, and not finished
  std::string image;                   // of pg_dump
  std::vector<std::string> databases;  // each in <name>.dump
  std::vector<backup_file> files;      // dumps, keys.tar, env
  std::vector<cloud_run> runs;         // cloudsql: one per instance

  friend bool operator==(const backup_manifest&, const backup_manifest&) = default;
};

std::string dump_file(const std::string& database);
const backup_file* file_of(const backup_manifest& of, std::string_view name);
// 2026-11-21 12:03:01 UTC
std::string time_text(wall_time time);
// 20261121T120301Z-1.11.4-before-1.12.1-<operation>, or without `to`.
std::string backup_id(wall_time time, const version& of, const std::optional<version>& to,
                      const std::string& operation);

// Whether a folder's name has that form: an operator's own folder has not.
bool is_backup_id(const std::string& name);

std::string to_json(const backup_manifest& manifest);
// Error "backup-corrupt"; the id must be the folder's name.
Result<backup_manifest> parse_manifest(std::string_view text, const std::string& folder);

// Ids to remove so that the newest `keep` stay, and what an upgrade or a restore in flight may need. `all`
// is ordered by time.
std::vector<std::string> expired(const std::vector<backup_manifest>& all, std::size_t keep,
                                 const ledger::record& book);

// Why difyd cannot restore it by itself; empty where it can.
std::string why_not_restorable(const backup_manifest& manifest);

// What leads out of the hold of an upgrade from `version`: the newest that difyd, or Cloud SQL, can restore
// and that is of that version; null where there is none.
const backup_manifest* newest_of(const std::vector<backup_manifest>& all, const version& of);

// "puts 1.11.4 back as it was at ...; what was written since is lost to it", of difyd rollback --restore.
std::string restore_offer(const backup_manifest& backup);

// The one that is meant: by id, the newest where that is empty. Error "no-such-backup".
Result<backup_manifest> find_backup(const std::vector<backup_manifest>& all, const std::string& id);

control::backup view_of(const backup_manifest& manifest);

}  // namespace difyd::supervisor
