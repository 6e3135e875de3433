// Findings for people and programs (`difyd check`).
#pragma once

#include <string>
#include <vector>

#include "difyd/model/finding.hpp"

namespace difyd::health {

// A table: "ok", "warn" or "error", subject, detail; the remedy below what needs one; last
// line a summary. `colour` for a terminal.
std::string render_text(const std::vector<finding>& findings, bool colour = false);

// {"worst":"error","findings":[{"subject":…,"code":…,"severity":…,"detail":…,"remedy":…,
//   "new_vm_helps":…,"since":…}]}
std::string render_json(const std::vector<finding>& findings);

// 0 ok or info, 1 warning, 2 error or critical: exit code of `difyd check`.
int exit_code(const std::vector<finding>& findings);

}  // namespace difyd::health
