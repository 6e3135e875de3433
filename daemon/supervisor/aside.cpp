#include "aside.hpp"

#include "backup_store.hpp"
#include "client_job.hpp"
#include "owed_commands.hpp"
#include "rehearsing.hpp"

namespace difyd::supervisor {
namespace {

std::string aside_name(const std::string& kind) { return kind == "verify" ? "verification" : kind; }

task<Result<>> sweep_backup(world& w, std::string id) {
  co_await sweep_clients(w);
  co_await remove_unfinished(w, std::move(id));
  co_return Result<>{};
}

task<void> sweep_and_tell(world& w, control::operation_status status) {
  const auto swept =
      status.kind == "rehearsal" ? co_await sweep_rehearsals(w) : co_await sweep_backup(w, status.id);
  const std::string left =
      swept ? "nothing of it is left" : "something of it may be: " + swept.error().message;
  tell_ending(w, status,
              {"undone", {}, {"aborted", "the " + aside_name(status.kind) + " was ended; " + left, {}}});
}

Result<> is_idle(const world& w, const std::string& what) {
  if (!w.aside.running()) return {};
  return fail("aside-running", "cannot " + what + ": a " + aside_name(w.aside.running()->kind) + " runs",
              "Wait for its end, or end it: difyd abort");
}

}  // namespace

Result<> may_run_aside(const world& w, const std::string& what) {
  const auto stands = w.stands.get();
  const auto* running = w.chief.running();
  const bool waits = stands->at == phase::starting || stands->at == phase::waiting_for_lease;
  // A start may come to an upgrade.
  if (waits || (running && running->kind == "converge"))
    return fail("not-ready", "cannot " + what + ": a start is under way: " + stands->message,
                "See: difyd status");
  return is_idle(w, what);
}

Result<> nothing_aside(const world& w, const std::string& what) {
  if (auto idle = no_command_running(w, what); !idle) return idle;
  return is_idle(w, what);
}

control::accepted submit_aside(world& w, control::operation_status status, work what) {
  const control::accepted accepted{status.id, w.events.last()};
  operation request;
  request.id = status.id;
  request.kind = status.kind;
  request.work = [&w, status, what]() -> task<void> {
    const auto how = co_await what(w, status.id);
    tell_ending(w, status, how);
  };
  w.aside.submit(std::move(request));
  return accepted;
}

control::accepted end_aside(world& w, const operation& running) {
  const control::accepted accepted{running.id, w.events.last()};
  control::operation_status status;
  status.id = running.id;
  status.kind = running.kind;
  operation request;
  request.id = running.id;
  request.kind = "abort";
  request.urgency = priority::command;
  request.work = [&w, status]() -> task<void> { return sweep_and_tell(w, status); };
  w.aside.submit(std::move(request));
  return accepted;
}

}  // namespace difyd::supervisor
