#include "migrations.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/upgrade/migration_watch.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view log_prefix = "migration-", log_suffix = ".log";

void tell(world& w, const std::string& upgrade, std::string text) {
  control::event event;
  event.operation = upgrade;
  event.kind = "migration";
  event.subject = "migrate";
  event.state = "waiting";
  event.text = std::move(text);
  if (auto operation = *w.operation.get(); operation && !operation->steps.empty()) {
    operation->steps.back().detail = event.text;
    w.operation.set(std::move(operation));
  }
  w.events.add(std::move(event));
}

task<void> look_once(world& w, upgrade::migration_watch& watch) {
  const auto database = w.database;
  if (!database) co_return;
  const auto& main = w.settings.database.main;
  const std::string session = w.migrating->session;
  const auto sessions = co_await database->sessions(main, {main}, {});
  const auto blockers = co_await database->blockers(main, session);
  if (!w.migrating) co_return;  // it ended meanwhile
  upgrade::migration_view now;
  now.at = std::chrono::steady_clock::now();
  now.last_output = w.migrating->last_output;
  if (blockers) now.blockers = *blockers;
  now.working =
      sessions && std::ranges::any_of(*sessions, [&](const database::session_info& each) {
        return each.application_name == session && each.state == "active" &&
               std::ranges::none_of(now.blockers, [&](const auto& one) { return one.pid == each.pid; });
      });
  for (auto& text : watch.tell(now)) tell(w, w.migrating->upgrade, std::move(text));
  w.migrating->blocked = watch.last_block();
}

std::string header(const ledger::migration_record& run) {
  std::string text = "--- run of " + to_rfc3339(run.started_at) + ", ";
  if (without_end(run)) return text + "no end recorded\n";
  return text + (run.exit_code ? "exit code " + std::to_string(*run.exit_code) : "no exit code") + "\n";
}

// Gives the runs one after the other.
class output_reader {
 public:
  output_reader(world& w, std::vector<ledger::migration_record> runs, bool follow)
      : world_(w), runs_(std::move(runs)), follow_(follow), headed_(runs_.size() < 2) {}

  task<std::optional<std::string>> next() {
    while (at_ < runs_.size()) {
      if (!std::exchange(headed_, true)) co_return header(runs_[at_]);
      auto piece = without_end(runs_[at_]) ? co_await from_engine() : co_await kept();
      if (piece && !piece->empty()) co_return piece;
      if (piece) continue;
      ++at_;
      headed_ = runs_.size() < 2;
    }
    co_return std::nullopt;
  }

 private:
  task<std::optional<std::string>> kept() {
    if (std::exchange(open_, !open_)) co_return std::nullopt;
    auto text = co_await world_.book->log(runs_[at_].log);
    co_return text ? text->value_or("(its log is gone)\n") : "(" + text.error().message + ")\n";
  }

  task<std::optional<std::string>> from_engine() {
    if (!std::exchange(open_, true)) {
      engine::log_options how;
      how.follow = follow_;
      auto logs = co_await world_.engine.containers.logs(migrator_container(world_, runs_[at_]), how, false);
      if (!logs) co_return "(" + logs.error().message + ")\n";
      stream_ = std::move(*logs);
    }
    if (!stream_) co_return close();
    auto frame = co_await stream_->next();
    if (frame && *frame) co_return std::move((*frame)->bytes);
    co_return close();
  }

  std::nullopt_t close() {
    stream_.reset();
    open_ = false;
    return std::nullopt;
  }

  world& world_;
  const std::vector<ledger::migration_record> runs_;
  const bool follow_;
  std::size_t at_ = 0;
  bool headed_;
  bool open_ = false;
  std::optional<engine::log_stream> stream_;
};

task<Result<>> settle(world& w, ledger::migration_record run) {
  const auto container = co_await w.engine.containers.inspect(migrator_container(w, run));
  // Removed by hand, or never made.
  if (!container && container.error().code == "engine-not-found") {
    run.ended_at = run.started_at;
    co_return co_await w.book->record_migration(std::move(run));
  }
  if (!container) co_return fail(container.error());
  auto logs = co_await w.engine.containers.logs(container->id, {}, false);
  if (!logs) co_return fail(logs.error());
  std::string text;
  for (;;) {
    auto frame = co_await logs->next(30s);
    if (!frame) co_return fail(frame.error());
    if (!*frame) break;
    if (text.size() < (8u << 20)) text += (*frame)->bytes;
  }
  if (auto kept = co_await w.book->keep_log(run.log, std::move(text)); !kept) co_return kept;
  const auto& state = container->state;
  const bool ran = !state.started_at.empty();
  if (ran && !state.running) run.exit_code = state.exit_code;
  const auto now = ran ? std::chrono::system_clock::now() : run.started_at;
  run.ended_at = std::max(run.started_at, parse_rfc3339(state.finished_at).value_or(now));
  co_return co_await w.book->record_migration(std::move(run));
}

}  // namespace

task<void> keep_migration_watch(world& w) {
  std::optional<upgrade::migration_watch> watch;
  for (;;) {
    co_await pause(2s);
    if (!w.migrating) {
      watch.reset();
      continue;
    }
    if (!watch) watch.emplace();
    co_await look_once(w, *watch);
  }
}

bool without_end(const ledger::migration_record& run) { return run.ended_at < run.started_at; }

std::string migrator_container(const world& w, const ledger::migration_record& run) {
  std::string_view name = run.log;
  if (name.starts_with(log_prefix)) name.remove_prefix(log_prefix.size());
  if (name.ends_with(log_suffix)) name.remove_suffix(log_suffix.size());
  return w.settings.project + "-migrate-" + std::string(name);
}

Result<http::body_source> migration_output(world& w, const std::string& upgrade, bool follow) {
  if (!w.book)
    return fail("not-ready", "cannot read the log: the ledger is not open yet", "See: difyd status");
  std::vector<ledger::migration_record> runs;
  for (const auto& each : w.book->current().migrations)
    if (each.id == upgrade) runs.push_back(each);
  if (runs.empty())
    return fail("no-such-migration", "cannot read the log: there is no migration " + upgrade,
                "List them: difyd migrations");
  auto reader = std::make_shared<output_reader>(w, std::move(runs), follow);
  return [reader] { return reader->next(); };
}

task<Result<>> settle_migrations(world& w, std::string upgrade) {
  const auto runs = w.book->current().migrations;
  for (const auto& run : runs) {
    if (run.id != upgrade || !without_end(run)) continue;
    if (auto settled = co_await settle(w, run); !settled) co_return settled;
  }
  co_return Result<>{};
}

}  // namespace difyd::supervisor
