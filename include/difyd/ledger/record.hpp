// What the share knows: what is deployed, the upgrade in flight, what happened before.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/clock.hpp"
#include "difyd/model/revision.hpp"
#include "difyd/model/version.hpp"

namespace difyd::ledger {

struct deployment {
  difyd::version version;
  std::string bundle;                         // folder of the working copy
  std::string project;                        // compose project name
  std::map<std::string, std::string> images;  // service -> image id or digest
  difyd::revision revision;                   // alembic_version after the start
  std::string environment_hash;               // sha256 of the effective .env
  wall_time committed_at{};

  friend bool operator==(const deployment&, const deployment&) = default;
};

enum class entry_state { begin, done, failed };

std::string_view to_text(entry_state value);

struct journal_entry {
  std::string step;  // "admit", "prepare", "drain", ...; free text for the ledger
  entry_state state = entry_state::begin;
  wall_time at{};
  std::string detail;         // one sentence; for `failed` the error
  bool irreversible = false;  // the point of no return is passed: no automatic way back

  friend bool operator==(const journal_entry&, const journal_entry&) = default;
};

// What the main database was before the first run of a migrator, so that whether it moved is known
// whoever asks, and after whatever crash.
struct baseline {
  difyd::revision revision;
  std::string catalog;  // database::server::catalog_fingerprint

  friend bool operator==(const baseline&, const baseline&) = default;
};

// A one-off command that an advisory names for after an upgrade. It is taken off the list once it succeeded.
struct owed_command {
  std::string advisory;  // its id
  difyd::version since;  // the version that was upgraded to
  std::string service;   // whose image and environment
  std::string command;   // for sh
  std::string failure;   // why its last run was none; empty: to be run, or running

  friend bool operator==(const owed_command&, const owed_command&) = default;
};

// The upgrade in flight.
struct journal {
  std::string id;
  std::optional<difyd::version> from;  // unset: first installation
  difyd::version to;
  wall_time started_at{};
  std::string origin;  // who asked: "operator", "configuration"
  std::vector<journal_entry> entries;
  std::optional<ledger::baseline> baseline;  // unset: no migrator was begun
  std::vector<owed_command> owed;            // from its commit on

  friend bool operator==(const journal&, const journal&) = default;
};

enum class ending { done, undone, held };

std::string_view to_text(ending value);

struct step_time {
  std::string step;
  entry_state state = entry_state::begin;  // the last one seen
  wall_time began{};
  wall_time ended{};  // equal to `began` where it never ended

  friend bool operator==(const step_time&, const step_time&) = default;
};

// An upgrade that is over (or held: held ones stay in flight too until they are resolved).
struct upgrade_record {
  std::string id;
  std::optional<difyd::version> from;
  difyd::version to;
  wall_time started_at{};
  wall_time ended_at{};
  ending result = ending::done;
  std::string reason;  // one sentence; empty for done
  std::vector<step_time> steps;

  friend bool operator==(const upgrade_record&, const upgrade_record&) = default;
};

// One run of the migrator.
struct migration_record {
  std::string id;          // of the upgrade
  difyd::version version;  // whose image ran
  difyd::revision from;
  difyd::revision to;            // what the database had afterwards
  std::optional<int> exit_code;  // unset: it never reported one
  std::string log;               // file name below the ledger's folder
  wall_time started_at{};
  wall_time ended_at{};

  friend bool operator==(const migration_record&, const migration_record&) = default;
};

// How far a restore is. Up to the swap the databases are as they were.
enum class restore_stage {
  loading,   // the dumps are read into databases of their own
  swapping,  // they are complete and take the places of the others, all at once
  finishing  // keys, environment and version follow
};

std::string_view to_text(restore_stage value);

// The restore in flight: while there is one, no upgrade begins, and a start goes on with it first.
struct restore {
  std::string id;
  std::string backup;      // its id
  difyd::version version;  // that comes back
  difyd::revision revision;
  std::vector<std::string> databases;
  restore_stage stage = restore_stage::loading;
  wall_time started_at{};

  friend bool operator==(const restore&, const restore&) = default;
};

struct record {
  std::optional<deployment> deployed;
  std::optional<deployment> previous;
  std::optional<journal> in_flight;
  std::optional<restore> restoring;
  std::vector<upgrade_record> history;  // oldest first, the newest 200
  std::vector<migration_record> migrations;
  std::vector<owed_command> owed;  // in the order in which they run

  friend bool operator==(const record&, const record&) = default;
};

// Steps with their times, out of a journal's entries.
std::vector<step_time> times_of(const std::vector<journal_entry>& entries);

}  // namespace difyd::ledger
