// What may happen to a ledger: pure functions from one record to the next.
#include <algorithm>

#include "difyd/ledger/book.hpp"

namespace difyd::ledger {
namespace {

constexpr std::size_t longest_history = 200;

bool is_held(const record& book, const std::string& id) {
  return std::ranges::any_of(
      book.history, [&](const upgrade_record& each) { return each.id == id && each.result == ending::held; });
}

void put(std::vector<upgrade_record>& history, upgrade_record line) {
  const auto same = std::ranges::find(history, line.id, &upgrade_record::id);
  if (same != history.end()) history.erase(same);
  history.push_back(std::move(line));
  if (history.size() > longest_history) history.erase(history.begin());
}

Error restoring_now(const std::string& what, const record& book) {
  return {"restore-in-flight",
          "cannot " + what + ": the restore of backup " + book.restoring->backup + " is not finished",
          "Finish it first: difyd up"};
}

auto find(std::vector<owed_command>& owed, const owed_command& command) {
  return std::ranges::find_if(owed, [&](const owed_command& each) {
    return each.advisory == command.advisory && each.command == command.command;
  });
}

Error not_owed(const std::string& advisory) {
  return {"not-owed", "there is no command of advisory " + advisory + " to run",
          "Those that there are: difyd advisories"};
}

}  // namespace

record with_deployment(const record& book, deployment now) {
  record next = book;
  if (book.deployed && book.deployed->version != now.version) next.previous = book.deployed;
  next.deployed = std::move(now);
  return next;
}

Result<record> with_upgrade(const record& book, journal started) {
  if (book.restoring) return fail(restoring_now("begin the upgrade to " + started.to.text(), book));
  if (book.in_flight && !is_held(book, book.in_flight->id))
    return fail("upgrade-in-flight",
                "cannot begin the upgrade to " + started.to.text() + ": the upgrade to " +
                    book.in_flight->to.text() + " is in flight",
                "Wait for it: difyd status");
  record next = book;
  // The database may have moved in the held upgrade that this one replaces.
  if (book.in_flight && !started.baseline) started.baseline = book.in_flight->baseline;
  next.in_flight = std::move(started);
  return next;
}

Result<record> with_entry(const record& book, journal_entry entry) {
  if (!book.in_flight)
    return fail("no-upgrade-in-flight", "cannot record step " + entry.step + ": no upgrade is in flight");
  record next = book;
  next.in_flight->entries.push_back(std::move(entry));
  return next;
}

Result<record> with_baseline(const record& book, baseline before) {
  if (!book.in_flight)
    return fail("no-upgrade-in-flight", "cannot record the database's state: no upgrade is in flight");
  record next = book;
  if (!next.in_flight->baseline) next.in_flight->baseline = std::move(before);
  return next;
}

Result<record> with_ending(const record& book, ending result, std::string reason,
                           std::optional<deployment> now, wall_time at) {
  if (!book.in_flight) return fail("no-upgrade-in-flight", "cannot end an upgrade: none is in flight");
  record next = now ? with_deployment(book, std::move(*now)) : book;
  if (result == ending::done)
    for (const auto& each : book.in_flight->owed)
      if (find(next.owed, each) == next.owed.end()) next.owed.push_back(each);
  const journal& over = *book.in_flight;
  put(next.history,
      {over.id, over.from, over.to, over.started_at, at, result, std::move(reason), times_of(over.entries)});
  if (result != ending::held) next.in_flight.reset();
  return next;
}

Result<record> with_restore(const record& book, restore started) {
  const std::string what = "restore backup " + started.backup;
  if (book.restoring) return fail(restoring_now(what, book));
  if (book.in_flight && !is_held(book, book.in_flight->id))
    return fail("upgrade-in-flight",
                "cannot " + what + ": the upgrade to " + book.in_flight->to.text() + " is in flight",
                "Wait for it: difyd status");
  record next = book;
  next.restoring = std::move(started);
  return next;
}

Result<record> with_restore_stage(const record& book, restore_stage stage) {
  if (!book.restoring) return fail("no-restore-in-flight", "cannot go on: no restore is in flight");
  record next = book;
  next.restoring->stage = stage;
  return next;
}

Result<record> with_restored(const record& book, deployment now, std::string reason, wall_time at) {
  if (!book.restoring) return fail("no-restore-in-flight", "cannot end a restore: none is in flight");
  const restore& over = *book.restoring;
  record next = with_deployment(book, std::move(now));
  std::erase_if(next.owed, [&](const owed_command& each) { return over.version < each.since; });
  if (const auto& held = book.in_flight) {
    const auto before = std::ranges::find(book.history, held->id, &upgrade_record::id);
    put(next.history,
        {held->id, held->from, held->to, held->started_at, at, ending::undone,
         (before == book.history.end() ? "" : before->reason + "; ") + reason, times_of(held->entries)});
    next.in_flight.reset();
  }
  // Repeated after a crash, what came before is known no more, and told already.
  if (std::ranges::find(book.history, over.id, &upgrade_record::id) != book.history.end()) return next;
  upgrade_record line;
  line.id = over.id;
  if (book.in_flight)
    line.from = book.in_flight->to;
  else if (book.deployed)
    line.from = book.deployed->version;
  line.to = over.version;
  line.started_at = over.started_at;
  line.ended_at = at;
  line.reason = std::move(reason);
  put(next.history, std::move(line));
  return next;
}

record without_restore(const record& book) {
  record next = book;
  next.restoring.reset();
  return next;
}

const owed_command* next_command(const record& book) {
  for (const auto& each : book.owed) {
    const bool stuck = std::ranges::any_of(book.owed, [&](const owed_command& other) {
      return other.advisory == each.advisory && !other.failure.empty();
    });
    if (!stuck) return &each;
  }
  return nullptr;
}

Result<record> with_command(const record& book, const owed_command& run, std::string failure) {
  record next = book;
  const auto same = find(next.owed, run);
  if (same == next.owed.end()) return fail(not_owed(run.advisory));
  if (failure.empty())
    next.owed.erase(same);
  else
    same->failure = std::move(failure);
  return next;
}

Result<record> with_retried(const record& book, const std::string& advisory) {
  record next = book;
  bool known = false;
  for (auto& each : next.owed) {
    if (each.advisory != advisory) continue;
    each.failure.clear();
    known = true;
  }
  if (!known) return fail(not_owed(advisory));
  return next;
}

Result<record> without_commands(const record& book, const std::string& advisory) {
  record next = book;
  const auto gone =
      std::erase_if(next.owed, [&](const owed_command& each) { return each.advisory == advisory; });
  if (gone == 0) return fail(not_owed(advisory));
  return next;
}

record with_migration(const record& book, migration_record migration) {
  record next = book;
  const auto same = std::ranges::find_if(next.migrations, [&](const migration_record& each) {
    return each.id == migration.id && each.started_at == migration.started_at;
  });
  if (same != next.migrations.end()) {
    *same = std::move(migration);
  } else {
    next.migrations.push_back(std::move(migration));
    if (next.migrations.size() > longest_history) next.migrations.erase(next.migrations.begin());
  }
  return next;
}

}  // namespace difyd::ledger
