// What the operator may tune about health, and what judging needs to know beside findings.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "difyd/model/finding.hpp"
#include "difyd/model/phase.hpp"

namespace difyd::health {

using std::chrono::seconds;

struct policy {
  seconds replace_grace{120};                // a finding must last this long before a new VM is asked for
  std::map<std::string, seconds> grace_of;   // by code, where it differs
  seconds replace_at_most_every{24 * 3600};  // per finding
  seconds migrate_window{30 * 60};           // a younger migrate entry protects the VM by itself
  seconds start_bound{900};                  // beyond it the reason changes, not the answer
  seconds unready_grace{0};                  // a dependency must be away this long before /readyz says so
};

// Where the daemon stands: written by the supervisor.
struct situation {
  phase current = phase::starting;
  bool maintenance = false;  // the operator's `difyd maintenance on`
  bool configuration_valid = true;
  bool migrator_session = false;             // a session dify-migrate… exists on the database
  std::optional<wall_time> migrate_begun{};  // the journal's migrate entry, while that upgrade is in flight
  wall_time phase_since{};
};

// A replacement that was asked for, as recorded on the share (or in the database).
struct replacement {
  std::string finding;  // replacement_key()
  std::string machine;  // machine_identity::unique() of the one that asked
  wall_time asked{};

  friend bool operator==(const replacement&, const replacement&) = default;
};

struct memory {
  bool known = false;   // the record could be read; false: nothing may be asked for
  std::string why_not;  // known == false: one clause, "the storage is this machine's own disk"
  std::string machine;  // this one
  std::vector<replacement> asked;
};

}  // namespace difyd::health
