// `difyd rehearse VERSION`: the new image's migration, on a copy of the main database that was made from a
// backup. Runs beside the stack; nothing else is touched, and the copy is dropped.
#pragma once

#include <string>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Refused: "version-older", "no-such-backup", "backup-not-restorable", "not-ready", "rehearsal-running".
Result<> may_rehearse(const world& w, const version& to, const std::string& backup);
task<ended> rehearse(world& w, std::string id, version to, std::string backup);

// Ends and drops what rehearsals that were interrupted left behind.
task<void> sweep_rehearsals(world& w);

}  // namespace difyd::supervisor
