// What a migration says: while it runs, after it ended, and after a process that did not live to see its end.
#pragma once

#include <string>

#include "difyd/http/message.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// While w.migrating: who blocks the migrator, and that it stands still, become events and the phase's
// message.
task<void> keep_migration_watch(world& w);

// Whether the run has not ended, as far as the ledger knows: it runs, or the process was killed in it.
bool without_end(const ledger::migration_record& run);

// The container of a run; its log is kept in the ledger's folder when it ends.
std::string migrator_container(const world& w, const ledger::migration_record& run);

// The output of every run of that upgrade's migrator, piece by piece; `follow` goes on to the end of one
// that runs. Errors "not-ready", "no-such-migration".
Result<http::body_source> migration_output(world& w, const std::string& upgrade, bool follow);

// Runs that an earlier process left without an end get it from their containers, which no longer run.
task<Result<>> settle_migrations(world& w, std::string upgrade);

}  // namespace difyd::supervisor
