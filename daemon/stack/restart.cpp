#include "difyd/stack/restart.hpp"

#include <algorithm>
#include <cstdlib>

namespace difyd::stack {
namespace {

// on-failure:3 -> 3; 0 = without limit.
int allowed_failures(const std::string& policy) {
  const auto colon = policy.find(':');
  return colon == std::string::npos ? 0 : std::atoi(policy.c_str() + colon + 1);
}

restart_decision no(restart_memory memory, std::string reason) {
  restart_decision d;
  d.memory = memory;
  d.reason = std::move(reason);
  return d;
}

}  // namespace

restart_decision decide_restart(const death& d, const restart_memory& before,
                                std::chrono::steady_clock::time_point now,
                                const restart_policy_limits& limits) {
  restart_memory memory = before;
  const bool lasted = memory.started && now - *memory.started >= limits.settled;
  memory.started.reset();
  if (lasted) memory.failures = 0;
  if (d.expected) return no({}, "its end was asked for");
  if (d.one_shot && d.exit_code == 0) return no({}, "it has done its work");
  if (d.policy.empty() || d.policy == "no") return no(memory, "its restart policy is no");
  if (d.policy.starts_with("on-failure")) {
    if (d.exit_code == 0) return no({}, "it ended with 0");
    const int allowed = allowed_failures(d.policy);
    if (allowed > 0 && memory.failures >= allowed)
      return no(memory, "it failed " + std::to_string(memory.failures) + " times in a row");
  }
  ++memory.failures;
  auto delay = limits.first;
  for (int n = 1; n < memory.failures && delay < limits.most; ++n) delay *= 2;
  restart_decision decision;
  decision.restart = true;
  decision.delay = std::min(delay, limits.most);
  decision.memory = memory;
  decision.reason = "it ended with " + std::to_string(d.exit_code);
  return decision;
}

}  // namespace difyd::stack
