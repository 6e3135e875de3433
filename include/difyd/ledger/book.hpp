// The ledger of this installation: memory and file always say the same.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/cell.hpp"
#include "difyd/base/task.hpp"
#include "difyd/ledger/record.hpp"
#include "difyd/ledger/store.hpp"

namespace difyd::ledger {

// Asked before each write, and again, with its error, after one that failed: whether to write now. Its error
// ends the change.
using write_gate = std::function<task<Result<>>(std::optional<Error> failed)>;

// Every change is durable before its call returns and before `current` shows it; a change
// that cannot be written changes nothing. Calls queue, one write at a time.
class book {
 public:
  // Errors: those of the store, "ledger-newer", "ledger-corrupt". No file is an empty ledger.
  static task<Result<std::unique_ptr<book>>> open(asio::any_io_executor executor,
                                                  std::shared_ptr<store> files, write_gate gate = {});

  const record& current() const { return *state_.get(); }
  const cell<record>& state() const { return state_; }
  cell<record>& state() { return state_; }

  // Reads the file again: another machine may have written it while it had the lease. Errors as open's.
  task<Result<>> reload();

  // Makes the file say what memory says, where a write failed and may have landed since. Nothing to do: no
  // write.
  task<Result<>> settle();

  // Installation, adoption: what runs is this, without an upgrade. The former one becomes `previous`
  // where its version differs.
  task<Result<>> deploy(deployment now);

  // Errors: "upgrade-in-flight", unless the one in flight is held (a newer version is admitted).
  task<Result<>> begin_upgrade(journal started);
  // One entry of the upgrade in flight. Error "no-upgrade-in-flight".
  task<Result<>> append(journal_entry entry);
  // Kept from the first call on: later ones change nothing. Error "no-upgrade-in-flight".
  task<Result<>> set_baseline(baseline before);
  // Ends the upgrade in flight: done makes `now` the deployed one and its commands owed; undone clears it;
  // held keeps it in flight. History gets a line (a held upgrade's line is replaced when it ends).
  task<Result<>> finish_upgrade(ending result, std::string reason, std::optional<deployment> now = {});

  // What a run of a command came to: done takes it off the list, else `failure` says why not. Error
  // "not-owed".
  task<Result<>> settle_command(owed_command run, std::string failure);
  // Those of an advisory are to be run again, or, dropped, not at all. Error "not-owed".
  task<Result<>> retry_commands(std::string advisory);
  task<Result<>> drop_commands(std::string advisory);

  // Errors: "upgrade-in-flight", unless the one in flight is held; "restore-in-flight".
  task<Result<>> begin_restore(restore started);
  // Error "no-restore-in-flight", of the next one too.
  task<Result<>> set_restore_stage(restore_stage stage);
  // What was restored is deployed, a held upgrade is over (undone), and the history has a line about it.
  // The restore is still in flight; may be repeated.
  task<Result<>> settle_restore(deployment now, std::string reason);
  // The end of the restore.
  task<Result<>> finish_restore();

  // Adds, or replaces the one with the same id and start.
  task<Result<>> record_migration(migration_record migration);
  // Keeps a log beside the ledger; the name is what migration_record::log says.
  task<Result<>> keep_log(std::string name, std::string bytes);
  task<Result<std::optional<std::string>>> log(std::string name);

 private:
  book(asio::any_io_executor executor, std::shared_ptr<store> files, record initial, write_gate gate);
  task<Result<>> change(std::function<Result<record>(const record&)> how);
  task<void> take_turn();
  task<Result<>> write(std::string name, std::string bytes);

  std::shared_ptr<store> files_;
  cell<record> state_;
  cell<bool> busy_;
  bool unsettled_ = false;  // a write failed, and what the file says is not known
  write_gate gate_;
};

// The changes themselves, pure.
record with_deployment(const record& book, deployment now);
Result<record> with_upgrade(const record& book, journal started);
Result<record> with_entry(const record& book, journal_entry entry);
Result<record> with_baseline(const record& book, baseline before);
Result<record> with_ending(const record& book, ending result, std::string reason,
                           std::optional<deployment> now, wall_time at);
// The next to run: within an advisory none runs after one that failed.
const owed_command* next_command(const record& book);
Result<record> with_command(const record& book, const owed_command& run, std::string failure);
Result<record> with_retried(const record& book, const std::string& advisory);
Result<record> without_commands(const record& book, const std::string& advisory);
record with_migration(const record& book, migration_record migration);
Result<record> with_restore(const record& book, restore started);
Result<record> with_restore_stage(const record& book, restore_stage stage);
Result<record> with_restored(const record& book, deployment now, std::string reason, wall_time at);
record without_restore(const record& book);

}  // namespace difyd::ledger
