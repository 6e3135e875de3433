// What runs beside the director, one at a time: rehearsals, backups by hand and their verification. They
// change nothing of the stack, take their time, and must not keep what dies meanwhile from being healed.
#pragma once

#include <string>

#include "operations.hpp"

namespace difyd::supervisor {

// Whether one may begin. `what` it is, for the sentence: "take a backup". Errors "not-ready" (a start is
// under way, which may come to an upgrade), "aside-running".
Result<> may_run_aside(const world& w, const std::string& what);

// Whether what must not meet one may begin. Errors "aside-running", "command-running" (of an advisory).
Result<> nothing_aside(const world& w, const std::string& what);

// Its result comes as an event; w.operation does not show it.
control::accepted submit_aside(world& w, control::operation_status status, work what);

// Ends the one that runs, and removes what it leaves.
control::accepted end_aside(world& w, const operation& running);

}  // namespace difyd::supervisor
