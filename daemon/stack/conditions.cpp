#include "conditions.hpp"

#include "difyd/stack/labels.hpp"

namespace difyd::stack {
namespace {

constexpr duration safety_look = std::chrono::seconds(5);  // in case an event was lost
constexpr duration reopen_after = std::chrono::milliseconds(200);

bool ended(const engine::container& c) { return c.state.status == "exited" || c.state.status == "dead"; }

condition_result failed(std::string text) { return {condition_state::failed, std::move(text)}; }

condition_result judge_health(const engine::container& c) {
  if (ended(c)) return failed("container " + c.name + " exited (" + std::to_string(c.state.exit_code) + ")");
  if (c.state.status != "running") return {condition_state::pending, c.name + " is " + c.state.status};
  if (!c.state.health || c.state.health->status == "none")
    return failed("container " + c.name + " has no healthcheck configured");
  const auto& status = c.state.health->status;
  if (status == "healthy") return {condition_state::holds, {}};
  if (status == "unhealthy") return failed("container " + c.name + " is unhealthy");
  return {condition_state::pending, c.name + " is " + status};
}

condition_result judge_completion(const engine::container& c) {
  if (c.state.status != "exited") return {condition_state::pending, c.name + " is " + c.state.status};
  if (c.state.exit_code == 0) return {condition_state::holds, {}};
  const auto* service = c.label(label::service);
  return failed("service \"" + (service == nullptr ? c.name : *service) +
                "\" didn't complete successfully: exit " + std::to_string(c.state.exit_code));
}

}  // namespace

condition_result judge_condition(const std::string& condition, const engine::container& c) {
  if (condition == "service_healthy") return judge_health(c);
  if (condition == "service_completed_successfully") return judge_completion(c);
  if (condition == "running_or_healthy") {
    if (c.state.health && c.state.health->status != "none") return judge_health(c);
    if (ended(c))
      return failed("container " + c.name + " exited (" + std::to_string(c.state.exit_code) + ")");
    return {c.state.running && !c.state.restarting ? condition_state::holds : condition_state::pending,
            c.name + " is " + c.state.status};
  }
  return {condition_state::holds, {}};
}

task<Result<condition_result>> condition_board::look(wait_condition what) {
  engine::container_filter filter;
  filter.labels = {std::string(label::project) + "=" + project_,
                   std::string(label::service) + "=" + what.service, std::string(label::one_off) + "=False"};
  auto listed = co_await engine_.containers.list(std::move(filter));
  if (!listed) co_return std::unexpected(listed.error());
  if (listed->empty())
    co_return condition_result{condition_state::failed, "missing dependency " + what.service};
  condition_result all{condition_state::holds, {}};
  for (const auto& each : *listed) {
    auto c = co_await engine_.containers.inspect(each.id);
    if (!c && c.error().code == "engine-not-found") continue;
    if (!c) co_return std::unexpected(c.error());
    auto result = judge_condition(what.condition, *c);
    if (result.state == condition_state::failed) co_return result;
    if (result.state == condition_state::pending) all = std::move(result);
  }
  co_return all;
}

task<Result<>> condition_board::wait(wait_condition what, duration limit, std::function<bool()> give_up) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto seen = changed_.version();
    auto result = co_await look(what);
    if (give_up()) co_return Result<>{};
    if (!result) co_return std::unexpected(result.error());
    if (result->state == condition_state::holds) co_return Result<>{};
    if (result->state == condition_state::failed)
      co_return fail("dependency-failed", "dependency failed to start: " + result->text,
                     "Look at its log: difyd compose logs " + what.service);
    const auto left = std::chrono::duration_cast<duration>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      co_return fail("deadline-exceeded", "cannot wait any longer for " + what.service + " (" +
                                              what.condition + "): " + result->text + " after " +
                                              difyd::to_text(limit));
    co_await changed_.wait(seen, std::min(left, safety_look));
  }
}

task<void> condition_board::follow() {
  for (;;) {
    engine::filter_map filters;
    filters["type"] = {"container"};
    filters["label"] = {std::string(label::project) + "=" + project_};
    filters["event"] = {"start", "die", "destroy", "health_status", "restart"};
    auto stream = co_await engine_.events(std::move(filters));
    while (stream) {
      changed_.all();
      auto event = co_await stream->next();
      if (!event || !*event) break;
    }
    co_await pause(reopen_after);
  }
}

}  // namespace difyd::stack
