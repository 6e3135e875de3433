#include "difyd/stack/executor.hpp"

#include <filesystem>

#include "difyd/base/task_group.hpp"
#include "run.hpp"

namespace difyd::stack {

const char* to_text(op_state state) {
  switch (state) {
    case op_state::waiting:
      return "waiting";
    case op_state::working:
      return "working";
    case op_state::done:
      return "done";
    case op_state::failed:
      return "failed";
    case op_state::cancelled:
      return "cancelled";
  }
  return "?";
}

Error naming(const Error& error, const std::string& what, const std::string& target) {
  if (error.message.find(target) != std::string::npos) return error;
  std::string cause = error.message;
  // The engine's client names the id, which tells nobody anything.
  if (const auto colon = cause.find(": "); cause.starts_with("cannot ") && colon != std::string::npos)
    cause.erase(0, colon + 2);
  return {error.code, "cannot " + what + " " + target + ": " + cause, error.remedy};
}

plan_run::plan_run(engine::client& engine, Plan plan, apply_options options)
    : engine_(engine),
      plan_(std::move(plan)),
      options_(std::move(options)),
      board_(engine, plan_.project_name) {
  for (const auto& each : plan_.operations) states_[each.id] = state::waiting;
}

void plan_run::report(const operation& op, op_state to, std::string text, double fraction) {
  states_.at(op.id) = to;
  if (!options_.progress) return;
  op_progress progress;
  progress.operation = op.id;
  progress.state = to;
  progress.text = std::move(text);
  progress.fraction = fraction;
  options_.progress(op, progress);
}

void plan_run::warn(std::string text) {
  if (options_.warn) options_.warn(text);
  report_.warnings.push_back(std::move(text));
}

task<bool> plan_run::turn(std::size_t index) {
  const auto ready = [&] {
    for (const int id : plan_.operations[index].after)
      if (const auto found = states_.find(id); found != states_.end() && found->second != state::done)
        return false;
    return true;
  };
  while (!failure_ && !ready()) {
    const auto seen = moved_.version();
    co_await moved_.wait(seen, std::chrono::hours(24));
  }
  co_return !failure_;
}

task<Result<>> plan_run::conditions(const operation& op) {
  for (const auto& wait : op.waits) {
    report(op, state::waiting, "waiting for " + wait.service + " (" + wait.condition + ")");
    auto held =
        co_await board_.wait(wait, options_.dependency_limit, [this] { return failure_.has_value(); });
    if (held || failure_) continue;
    if (wait.required) co_return std::unexpected(held.error());
    warn("optional " + held.error().message);
  }
  co_return Result<>{};
}

task<Result<>> plan_run::run_one(std::size_t index) {
  const operation& op = plan_.operations[index];
  if (!co_await turn(index)) {
    report(op, state::cancelled);
    co_return Result<>{};
  }
  auto result = co_await conditions(op);
  if (failure_) {
    report(op, state::cancelled);
    co_return Result<>{};
  }
  const bool starts = op.kind == op_kind::start_container || op.kind == op_kind::restart_container;
  if (result && starts && options_.may_start) result = co_await options_.may_start();
  if (result) {
    report(op, state::working);
    result = co_await perform(op);
  }
  if (result) {
    ++report_.done;
    report(op, state::done, left_.contains(op.id) ? "Resource is still in use" : "");
  } else {
    report(op, state::failed, result.error().message);
    if (!failure_) failure_ = result.error();
    board_.wake();
  }
  moved_.all();
  co_return result;
}

task<Result<>> plan_run::run_all() {
  std::vector<task<Result<>>> all;
  for (std::size_t index = 0; index < plan_.operations.size(); ++index) all.push_back(run_one(index));
  (void)co_await when_all(std::move(all));
  co_return Result<>{};
}

namespace {

// Runs `work` beside `helper`, which never ends by itself and is cancelled with the work's end.
task<Result<>> beside(task<Result<>> work, task<void> helper) {
  auto executor = co_await asio::this_coro::executor;
  auto group =
      asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                              asio::co_spawn(executor, std::move(helper), asio::deferred));
  auto [order, work_failure, result, helper_failure] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (work_failure) std::rethrow_exception(order[0] == 1 && helper_failure ? helper_failure : work_failure);
  co_return std::move(result);
}

}  // namespace

task<Result<apply_report>> plan_run::run() {
  if (engine_.version().api.empty()) {
    auto connected = co_await engine_.connect();
    if (!connected) co_return std::unexpected(connected.error());
  }
  bool waits = false;
  for (const auto& op : plan_.operations) waits = waits || !op.waits.empty();
  if (waits)
    (void)co_await beside(run_all(), board_.follow());
  else
    (void)co_await run_all();
  if (failure_) co_return std::unexpected(*failure_);
  co_return std::move(report_);
}

task<Result<apply_report>> apply(engine::client& engine, Plan plan, apply_options options) {
  plan_run run(engine, std::move(plan), std::move(options));
  auto result = co_await run.run();
  co_return std::move(result);
}

namespace {

task<Result<>> all_ready(condition_board& board, std::vector<wait_condition> conditions, duration limit) {
  std::vector<task<Result<>>> waits;
  for (auto& condition : conditions)
    waits.push_back(board.wait(std::move(condition), limit, [] { return false; }));
  auto results = co_await when_all(std::move(waits));
  for (auto& result : results)
    if (!result) {
      std::string cause = result.error().message;
      constexpr std::string_view prefix = "dependency failed to start: ";
      if (cause.starts_with(prefix)) cause = cause.substr(prefix.size());
      co_return fail("not-healthy", "cannot bring the project up: " + cause, result.error().remedy);
    }
  co_return Result<>{};
}

}  // namespace

task<Result<>> wait_until_ready(engine::client& engine, std::shared_ptr<const compose::project> project,
                                std::vector<std::string> services, duration limit) {
  std::set<std::string> one_shots;
  for (const auto& [name, s] : project->services)
    for (const auto& [on, how] : s.depends_on)
      if (how.condition == "service_completed_successfully") one_shots.insert(on);
  if (services.empty())
    for (const auto& [name, s] : project->services) services.push_back(name);
  std::vector<wait_condition> conditions;
  for (const auto& name : services) {
    const auto found = project->services.find(name);
    if (found == project->services.end() || compose::wanted_scale(found->second) == 0) continue;
    conditions.push_back(
        {name, one_shots.contains(name) ? "service_completed_successfully" : "running_or_healthy", true});
  }
  condition_board board(engine, project->name);
  auto result = co_await beside(all_ready(board, std::move(conditions), limit), board.follow());
  co_return result;
}

}  // namespace difyd::stack
