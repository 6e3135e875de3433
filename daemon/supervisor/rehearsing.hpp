// `difyd rehearse VERSION`: the new image's migration, on a copy of the main database that was made from a
// backup, on the server of rehearsal.host or the stack's own. Runs beside the stack; nothing else is touched,
// and the copy is dropped.
#pragma once

#include <string>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Refused: "version-older", "no-such-backup", "backup-not-restorable", "not-ready".
Result<> may_rehearse(const world& w, const version& to, const std::string& backup);
task<ended> rehearse(world& w, std::string id, version to, std::string backup);

// Ends and drops what rehearsals that were interrupted left behind where they are made. Errors: what stays,
// and why.
task<Result<>> sweep_rehearsals(world& w);
// The same at the start of the daemon, and on the stack's own server too: rehearsal.host may be new.
task<Result<>> sweep_after_start(world& w);

}  // namespace difyd::supervisor
