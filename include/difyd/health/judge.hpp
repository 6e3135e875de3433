// The verdict: what the autohealer and the load balancer are told. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/health/policy.hpp"

namespace difyd::health {

struct judgement {
  verdict given;
  // Set when a new VM should be asked for and this machine has not recorded that yet. The
  // caller writes the record durably (share, else database), adds it to `memory` and judges
  // again: /healthz stays 200 until the record exists, so that a repair loop is counted.
  std::optional<replacement> record;
};

// DESIGN section 5, Health: the numbered list, first row that matches wins; verdict::row
// says which. Findings must carry `since` (see keeper.hpp).
judgement judge(const std::vector<finding>& findings, const situation& now_is, const policy& rules,
                wall_time now, const memory& past);

// "<subject>/<code>": what "this finding" means in "one replacement per finding and day".
std::string replacement_key(const finding& each);

// Codes for which a new VM may be asked, beside finding::new_vm_helps: this list is the
// last word, so that no probe can destroy a VM by a flag set in haste.
bool may_replace(const finding& each);

}  // namespace difyd::health
