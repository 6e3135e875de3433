#include "owed_commands.hpp"

#include <algorithm>

#include "client_job.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/labels.hpp"
#include "engine_work.hpp"
#include "leasing.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr const char* advisory_label = "dev.difyd.advisory";
constexpr auto longest = 24h;  // plugins are installed from the internet, one after the other

void tell(world& w, const std::string& operation, const char* state, std::string text) {
  w.events.tell(operation, "output", "command", state, std::move(text));
}

std::string place_of(const ledger::owed_command& what) {
  return what.advisory + "-" + sha256_hex(what.command).substr(0, 8);
}

std::string container_of(const world& w, const ledger::owed_command& what) {
  return w.settings.project + "-command-" + place_of(what);
}

stack::job_spec job_of(const std::string& advisory, const std::string& service, const std::string& container,
                       const std::string& command) {
  stack::job_spec job;
  job.service = service;
  job.name = container;
  job.entrypoint = compose::text_list{"sh", "-c", command};
  job.command = compose::text_list{};
  job.environment = {{"MIGRATION_ENABLED", "false"}};
  job.labels = {{upgrade::purpose_label, upgrade::command_purpose}, {advisory_label, advisory}};
  job.limit = longest;
  return job;
}

Error failed_command(const std::string& command, const stack::job_result& run) {
  return {"command-failed",
          command + " ended with " + std::to_string(run.exit_code) + ": " + last_line(run.output),
          {}};
}

// By itself: a machine that goes down kills what runs, and that is begun again.
bool came_to_an_end(const engine::container_state& state) {
  return !state.finished_at.empty() && state.exit_code < 128;
}

// Whether Dify of the deployed version is up, and stays.
bool may_run(const world& w) {
  return w.book && !w.book->current().in_flight && w.stands.get()->at == phase::serving &&
         !w.chief.busy_with(priority::upgrade);
}

task<Result<>> still_may(world& w) {
  if (!may_run(w)) co_return fail("not-serving", "Dify does not serve any more");
  co_return co_await still_ours(w);
}

task<Result<stack::job_result>> run_owed(world& w, ledger::owed_command what) {
  const auto container = container_of(w, what);
  const auto there = co_await w.engine.containers.inspect(container);
  if (!there && there.error().code != "engine-not-found") co_return fail(there.error());
  if (there && (there->state.running || came_to_an_end(there->state)))
    co_return co_await stack::await_job(w.engine, container, longest);
  if (there) (void)co_await w.engine.containers.remove(container, true, true);
  const auto on = *w.in_force.get();
  if (!on) co_return fail("not-serving", "nothing is deployed");
  tell(w, what.advisory, "begun", "in " + what.service + ": " + what.command);
  auto job = job_of(what.advisory, what.service, container, what.command);
  job.may_start = [&w] { return still_may(w); };
  job.on_output = [&w, &what](std::string_view bytes) {
    for (auto& line : split(trim(bytes), '\n')) tell(w, what.advisory, "", std::move(line));
  };
  co_return co_await run_job(w, project_of(on), std::move(job));
}

task<void> keep_outcome(world& w, ledger::owed_command what, stack::job_result run) {
  std::string failure;
  if (run.exit_code != 0) {
    const std::string log = "command-" + place_of(what) + ".log";
    const auto kept = co_await w.book->keep_log(log, run.output);
    failure = failed_command(what.command, run).message +
              (kept ? "; its output: " + w.settings.storage.root + "/.difyd/" + log : "");
  }
  tell(w, what.advisory, failure.empty() ? "done" : "failed", failure.empty() ? what.command : failure);
  const auto settled = co_await w.book->settle_command(what, failure);
  if (settled || settled.error().code == "not-owed")
    (void)co_await w.engine.containers.remove(run.container_id, true, true);
}

}  // namespace

std::vector<ledger::owed_command> owed_by(const std::vector<release::advisory>& heeded, const version& to) {
  std::vector<ledger::owed_command> owed;
  for (const auto& each : heeded)
    if (each.kind == release::advisory_kind::after)
      for (const auto& command : each.commands) owed.push_back({each.id, to, each.service, command, {}});
  return owed;
}

task<Result<>> run_before_upgrade(world& w, release_ptr on, release::advisory of, std::string command,
                                  std::string upgrade) {
  // An upgrade that was aborted may have left it running.
  if (auto gone = co_await end_commands(w, of.id); !gone) co_return gone;
  auto job = job_of(of.id, of.service, w.settings.project + "-before-" + upgrade, command);
  job.keep = false;
  job.on_output = [&w, &upgrade](std::string_view bytes) {
    for (auto& line : split(trim(bytes), '\n')) tell(w, upgrade, "", std::move(line));
  };
  tell(w, upgrade, "begun", "in " + of.service + ": " + command);
  auto run = co_await run_job(w, project_of(on), std::move(job));
  if (!run) co_return fail(run.error());
  if (run->exit_code == 0) co_return Result<>{};
  auto error = failed_command(command, *run);
  error.message = "cannot upgrade: advisory " + of.id + ": " + error.message;
  error.remedy = "The old version serves on. What it is for: difyd plan";
  co_return fail(error);
}

task<void> keep_commands(world& w) {
  int errors = 0;
  for (;; co_await pause(2s)) {
    if (!may_run(w)) continue;
    const auto* next = ledger::next_command(w.book->current());
    if (!next) continue;
    const auto what = *next;
    w.command = what.command;
    auto run = co_await run_owed(w, what);
    w.command.clear();
    // Whoever stopped Dify ended it, too; it is owed still.
    if (!may_run(w)) continue;
    if (run) {
      co_await keep_outcome(w, what, std::move(*run));
      errors = 0;
      continue;
    }
    log::warning("command", "cannot run what an advisory names", {{"cause", run.error().message}});
    constexpr int patience = 5;  // an engine that restarts is back by then
    if (++errors < patience) continue;
    errors = 0;
    tell(w, what.advisory, "failed", run.error().message);
    (void)co_await w.book->settle_command(what, run.error().message);
  }
}

task<Result<>> end_commands(world& w, std::string advisory) {
  engine::container_filter commands;
  commands.labels = {std::string(stack::label::project) + "=" + w.settings.project,
                     std::string(upgrade::purpose_label) + "=" + upgrade::command_purpose};
  if (!advisory.empty()) commands.labels.push_back(std::string(advisory_label) + "=" + advisory);
  const auto running = co_await w.engine.containers.list(std::move(commands));
  if (!running) co_return fail(running.error());
  for (const auto& each : *running) {
    const auto gone = co_await w.engine.containers.remove(each.id, true, true);
    if (!gone && gone.error().code != "engine-not-found") co_return gone;
  }
  co_return Result<>{};
}

Result<> is_owed(const ledger::record& book, const std::string& advisory) {
  const auto known = ledger::with_retried(book, advisory);
  if (!known) return fail(known.error());
  return {};
}

Result<> no_command_running(const world& w, const std::string& what) {
  if (w.command.empty()) return {};
  return fail("command-running", "cannot " + what + ": a command of an advisory still runs: " + w.command,
              "Wait for its end: difyd advisories. To end it: difyd advisories drop ID");
}

task<ended> settle_commands(world& w, std::string advisory, command_wish what) {
  if (what == command_wish::run) {
    auto settled = co_await w.book->retry_commands(advisory);
    if (!settled) co_return failed_with(settled.error());
    co_return done_as("its commands run as soon as Dify serves; see: difyd advisories");
  }
  auto settled = co_await w.book->drop_commands(advisory);
  if (!settled) co_return failed_with(settled.error());
  if (auto ended = co_await end_commands(w, advisory); !ended) co_return failed_with(ended.error());
  co_return done_as("the commands of " + advisory + " are off the list");
}

}  // namespace difyd::supervisor
