// post_start and pre_stop of a service: commands that are run in its container, one after the other, right
// after its start and right before its stop (docker compose since 2.30, pkg/compose/hook.go). A re-creation
// stops the former container without them, as docker compose does.
#include <algorithm>

#include "run.hpp"

namespace difyd::stack {
namespace {

using clock = std::chrono::steady_clock;

engine::exec_spec spec_of(const compose::service_hook& hook, bool tty) {
  engine::exec_spec spec;
  spec.command = hook.command.value_or(compose::text_list{});
  for (const auto& [key, value] : hook.environment) spec.env.push_back(value ? key + '=' + *value : key);
  spec.user = hook.user;
  spec.working_dir = hook.working_dir;
  spec.privileged = hook.privileged;
  spec.tty = tty;
  return spec;
}

// What it prints may hold secrets, and is nobody's but the container's.
task<Result<>> read_to_its_end(engine::attached_stream output, duration limit) {
  const auto end = clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<duration>(end - clock::now());
    if (left <= duration::zero())
      co_return fail("deadline-exceeded", "it has not ended within " + difyd::to_text(limit));
    auto some = co_await output.next(left);
    if (!some) co_return fail(some.error());
    if (!*some) co_return Result<>{};
  }
}

task<Result<>> run_hook(engine::client& engine, std::string id, engine::exec_spec spec, duration limit) {
  const bool tty = spec.tty;
  auto made = co_await engine.containers.create_exec(id, std::move(spec));
  if (!made) co_return fail(made.error());
  auto output = co_await engine.containers.start_exec(*made, tty);
  if (!output) co_return fail(output.error());
  if (auto ended = co_await read_to_its_end(std::move(*output), limit); !ended) co_return ended;
  auto state = co_await engine.containers.inspect_exec(*made);
  if (!state) co_return fail(state.error());
  if (state->exit_code != 0)
    co_return fail("hook-failed", "it ended with " + std::to_string(state->exit_code));
  co_return Result<>{};
}

bool gone(const Error& error) { return error.code == "engine-not-found" || error.code == "engine-conflict"; }

}  // namespace

const compose::service* plan_run::service_of(const operation& op) const {
  if (!plan_.project) return nullptr;
  const auto found = plan_.project->services.find(op.service);
  return found == plan_.project->services.end() ? nullptr : &found->second;
}

task<Result<>> plan_run::run_hooks(const operation& op, hook_point at) {
  const auto* service = service_of(op);
  if (service == nullptr) co_return Result<>{};
  const bool stops = at == hook_point::pre_stop;
  const bool regardless = stops && options_.stops_regardless;
  const std::string name = stops ? "pre_stop" : "post_start";
  const auto limit = regardless ? std::min(options_.hook_limit, stop_limit(op)) : options_.hook_limit;
  for (const auto& each : stops ? service->pre_stop : service->post_start) {
    auto ran = co_await run_hook(engine_, id_of(op), spec_of(each, service->tty), limit);
    if (ran) continue;
    // It has ended, or is gone, already.
    if (stops && gone(ran.error())) co_return Result<>{};
    const std::string what = "cannot run " + name + " in container " + op.target + ": " + ran.error().message;
    if (!regardless)
      co_return fail(ran.error().code, what,
                     "Run it there by hand to see why: docker exec " + op.target + " COMMAND");
    report(op, state::working, what + "; it is stopped all the same");
  }
  co_return Result<>{};
}

}  // namespace difyd::stack
