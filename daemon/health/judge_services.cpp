#include "difyd/health/probes.hpp"

namespace difyd::health {
namespace {

struct looks {
  const char* code;
  severity level;
  std::string detail;
};

looks look_at(const expected_service& expected, const stack::observed_container& seen) {
  const std::string ended = expected.name + " ended with exit code " + std::to_string(seen.exit_code);
  if (seen.state == "exited" && expected.one_shot && seen.exit_code == 0)
    return {"service-ok", severity::ok, expected.name + " has done its work"};
  if (seen.state == "exited" || seen.state == "dead")
    return {"service-ended", severity::error, seen.error.empty() ? ended : ended + ": " + seen.error};
  if (seen.state == "restarting")
    return {"service-restarting", severity::error, ended + " and is started again"};
  if (seen.state == "paused") return {"service-paused", severity::error, expected.name + " is paused"};
  if (seen.state != "running")
    return {"service-starting", severity::info, expected.name + " is " + seen.state};
  if (seen.health == "unhealthy")
    return {"service-unhealthy", severity::error, expected.name + " is unhealthy"};
  if (seen.health == "starting")
    return {"service-starting", severity::info, expected.name + " is not healthy yet"};
  return {"service-ok", severity::ok, expected.name + (seen.health.empty() ? " is running" : " is healthy")};
}

// The worst of a service's containers speaks for it.
looks worst_of(const expected_service& expected,
               const std::vector<const stack::observed_container*>& containers) {
  if (containers.empty()) return {"service-missing", severity::error, expected.name + " has no container"};
  auto worst = look_at(expected, *containers.front());
  for (const auto* each : containers)
    if (auto next = look_at(expected, *each); next.level > worst.level) worst = std::move(next);
  return worst;
}

std::string remedy_for(const expected_service& expected, severity level) {
  if (level < severity::warning) return {};
  return "difyd logs " + expected.name + " says why; difyd restart " + expected.name + " tries again";
}

}  // namespace

findings judge_services(const std::vector<expected_service>& expected, const stack::observed& now,
                        const std::set<std::string>& recovering) {
  findings found;
  for (const auto& each : expected) {
    auto looks = worst_of(each, stack::containers_of(now, each.name));
    if (looks.level > severity::warning && recovering.contains(each.name)) looks.level = severity::warning;
    found.push_back({"service." + each.name,
                     looks.code,
                     looks.level,
                     looks.detail,
                     remedy_for(each, looks.level),
                     false,
                     {}});
  }
  return found;
}

}  // namespace difyd::health
