// What difyd knows without a probe, from ledger, configuration and environment, as findings. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "difyd/ledger/record.hpp"
#include "difyd/model/finding.hpp"
#include "difyd/model/phase.hpp"
#include "difyd/release/environment.hpp"

namespace difyd::supervisor {

struct known_facts {
  ledger::record book;
  std::vector<backup_manifest> backups;
  phase at = phase::starting;
  std::string message;               // of the phase
  std::vector<std::string> options;  // of the phase
  wall_time since{};                 // of the phase
  std::optional<version> configured;
  std::optional<Error> refused;                   // why the start did not upgrade to the wanted version
  std::vector<std::string> edited_bundle;         // files of the deployed bundle that are not as deployed
  std::vector<std::string> edited_overlay;        // files of the overlay that are not as it was taken in
  std::optional<Error> not_kept;                  // why the share does not keep what is deployed
  std::optional<release::secret_key> secret_key;  // of the environment in force
  wall_time now{};
  std::optional<wall_time> maintenance_since;  // unset: it is off
  std::string maintenance_reason;
};

// Codes: upgrade-held, upgrade-undone, restore-unfinished, start-held, version-ignored, version-refused,
// bundle-edited, overlay-edited, release-not-kept, secret-key-public, secret-key-empty, maintenance-on. The
// remedy of a hold has one command with its consequence per line.
std::vector<finding> known_findings(const known_facts& facts);

// The line of the history about the upgrade in flight, where that one is held.
const ledger::upgrade_record* held_upgrade(const ledger::record& book);

// What an operator may do in a hold, each command with its consequence, three at most. After
// `difyd down` the daemon has to hold again first.
std::vector<std::string> hold_options(const ledger::record& book, const std::vector<backup_manifest>& backups,
                                      bool stopped = false);

// Whether a finding of a probe says anything in this phase: what was stopped on purpose is not
// missed. `own`: subjects of bundled services, "redis", "database".
bool meant(const finding& probed, phase at, const std::vector<std::string>& own);

}  // namespace difyd::supervisor
