#include "difyd/ledger/book.hpp"

#include "difyd/ledger/format.hpp"

namespace difyd::ledger {
namespace {

constexpr const char* file_name = "ledger.json";

}  // namespace

book::book(asio::any_io_executor executor, std::shared_ptr<store> files, record initial, write_gate gate)
    : files_(std::move(files)),
      state_(executor, std::move(initial)),
      busy_(executor, false),
      gate_(std::move(gate)) {}

task<Result<std::unique_ptr<book>>> book::open(asio::any_io_executor executor, std::shared_ptr<store> files,
                                               write_gate gate) {
  auto bytes = co_await files->read(file_name);
  if (!bytes) co_return fail(std::move(bytes.error()));
  record initial;
  if (*bytes) {
    auto parsed = parse(**bytes, files->place(file_name));
    if (!parsed) co_return fail(std::move(parsed.error()));
    initial = std::move(*parsed);
  }
  co_return std::unique_ptr<book>(
      new book(std::move(executor), std::move(files), std::move(initial), std::move(gate)));
}

task<Result<>> book::write(std::string name, std::string bytes) {
  for (std::optional<Error> failed;;) {
    if (gate_)
      if (auto may = co_await gate_(failed); !may) co_return may;
    auto written = co_await files_->write(name, bytes);
    if (written || !gate_) co_return written;
    failed = written.error();
  }
}

task<void> book::take_turn() {
  while (*busy_.get()) {
    const auto seen = busy_.version();
    co_await busy_.changed(seen);
  }
  busy_.set(true);
}

// The turn is given back on every way out, cancellation included.
class turn {
 public:
  explicit turn(cell<bool>& busy) : busy_(busy) {}
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;
  ~turn() { busy_.set(false); }

 private:
  cell<bool>& busy_;
};

task<Result<>> book::change(std::function<Result<record>(const record&)> how) {
  co_await take_turn();
  const turn mine(busy_);
  auto next = how(current());
  if (!next) co_return fail(std::move(next.error()));
  const auto bytes = to_json(*next);
  // What could not be read again would be a dead end for every machine.
  if (auto again = parse(bytes, files_->place(file_name)); !again)
    co_return fail("ledger-not-writable",
                   "cannot write the ledger, it could not be read again: " + again.error().message,
                   "This is a defect of difyd: report it");
  auto written = co_await write(file_name, bytes);
  if (!written) {
    // A write may fail after it landed (a share that answers late): what the file says is what counts.
    const auto found = co_await files_->read(file_name);
    unsettled_ = !found;
    if (!found || !*found || **found != bytes) co_return fail(std::move(written.error()));
  }
  unsettled_ = false;
  state_.set(std::move(*next));
  co_return Result<>{};
}

task<Result<>> book::settle() {
  if (!unsettled_) co_return Result<>{};
  co_await take_turn();
  const turn mine(busy_);
  auto written = co_await write(file_name, to_json(current()));
  if (written) unsettled_ = false;
  co_return written;
}

task<Result<>> book::reload() {
  co_await take_turn();
  const turn mine(busy_);
  auto bytes = co_await files_->read(file_name);
  if (!bytes) co_return fail(std::move(bytes.error()));
  auto parsed = *bytes ? parse(**bytes, files_->place(file_name)) : Result<record>(record{});
  if (!parsed) co_return fail(std::move(parsed.error()));
  if (*parsed != current()) state_.set(std::move(*parsed));
  co_return Result<>{};
}

task<Result<>> book::deploy(deployment now) {
  return change(
      [now = std::move(now)](const record& book) -> Result<record> { return with_deployment(book, now); });
}

task<Result<>> book::begin_upgrade(journal started) {
  return change([started = std::move(started)](const record& book) { return with_upgrade(book, started); });
}

task<Result<>> book::append(journal_entry entry) {
  return change([entry = std::move(entry)](const record& book) { return with_entry(book, entry); });
}

task<Result<>> book::set_baseline(baseline before) {
  return change([before = std::move(before)](const record& book) { return with_baseline(book, before); });
}

task<Result<>> book::finish_upgrade(ending result, std::string reason, std::optional<deployment> now) {
  const auto at = std::chrono::system_clock::now();
  return change([result, reason = std::move(reason), now = std::move(now), at](const record& book) {
    return with_ending(book, result, reason, now, at);
  });
}

task<Result<>> book::settle_command(owed_command run, std::string failure) {
  return change([run = std::move(run), failure = std::move(failure)](const record& book) {
    return with_command(book, run, failure);
  });
}

task<Result<>> book::retry_commands(std::string advisory) {
  return change(
      [advisory = std::move(advisory)](const record& book) { return with_retried(book, advisory); });
}

task<Result<>> book::drop_commands(std::string advisory) {
  return change(
      [advisory = std::move(advisory)](const record& book) { return without_commands(book, advisory); });
}

task<Result<>> book::begin_restore(restore started) {
  return change([started = std::move(started)](const record& book) { return with_restore(book, started); });
}

task<Result<>> book::set_restore_stage(restore_stage stage) {
  return change([stage](const record& book) { return with_restore_stage(book, stage); });
}

task<Result<>> book::settle_restore(deployment now, std::string reason) {
  const auto at = std::chrono::system_clock::now();
  return change([now = std::move(now), reason = std::move(reason), at](const record& book) {
    return with_restored(book, now, reason, at);
  });
}

task<Result<>> book::finish_restore() {
  return change([](const record& book) -> Result<record> { return without_restore(book); });
}

task<Result<>> book::record_migration(migration_record migration) {
  return change([migration = std::move(migration)](const record& book) -> Result<record> {
    return with_migration(book, migration);
  });
}

task<Result<>> book::keep_log(std::string name, std::string bytes) {
  co_await take_turn();
  const turn mine(busy_);
  co_return co_await write(std::move(name), std::move(bytes));
}

task<Result<std::optional<std::string>>> book::log(std::string name) {
  co_await take_turn();
  const turn mine(busy_);
  co_return co_await files_->read(std::move(name));
}

}  // namespace difyd::ledger
