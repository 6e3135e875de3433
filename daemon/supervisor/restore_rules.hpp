// What decides about going back: rollback, and the restore of a backup. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "difyd/database/server.hpp"
#include "difyd/ledger/record.hpp"

namespace difyd::supervisor {

// dify_restore_<id>: where the dump is read into. dify_before_restore_<id>: what was there before.
std::string loaded_name(const std::string& database, const std::string& id);
std::string set_aside_name(const std::string& database, const std::string& id);

struct restore_facts {
  backup_manifest backup;
  ledger::record book;
  std::string main;              // name of the main database, as configured
  std::optional<version> asked;  // by configuration or instance metadata
  std::string role;
  bool may_create = false;                          // databases
  std::string lease_database;                       // empty: the lease lives in the main database
  std::vector<database::database_entry> databases;  // on the server
  std::optional<std::uint64_t> free_bytes;          // where the server's disk is known
};

// What stands in the way, before anything is stopped: "backup-not-restorable", "restore-in-flight",
// "upgrade-in-flight", "version-asked", "database-permission", "lease-in-main", "disk-full".
Result<> may_restore(const restore_facts& facts);

// What the databases of now take; as much is needed again.
std::uint64_t bytes_of(const restore_facts& facts);

control::restore_plan restore_plan_of(const restore_facts& facts, wall_time now);

enum class swap_action { swap, done, impossible };

struct swap_decision {
  swap_action action = swap_action::impossible;
  std::vector<database::new_name> names;  // of swap
  std::string reason;                     // of impossible
};

// From the names that are on the server: the swap is one transaction, so it happened or it did not.
swap_decision decide_swap(const ledger::restore& of, const std::vector<database::database_entry>& present);

// Of the upgrade in flight: from where on the way is forward or restore.
bool past_return(const ledger::record& book);

// "2 days 3 h", "5 min", "12 s"
std::string span_text(std::chrono::seconds span);

// Why `difyd rollback` cannot go back without a backup, and which one would lead back.
Error past_return_error(const ledger::record& book, const std::vector<backup_manifest>& backups,
                        wall_time now);

}  // namespace difyd::supervisor
