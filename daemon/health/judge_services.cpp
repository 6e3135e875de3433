#include <algorithm>
#include <string_view>

#include "difyd/base/text.hpp"
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
  if (seen.state == "exited" && seen.oom_killed)
    return {"service-out-of-memory", severity::error, expected.name + " was killed for want of memory"};
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

std::string remedy_for(const expected_service& expected, const looks& seen) {
  if (seen.level < severity::warning) return {};
  if (std::string_view(seen.code) == "service-out-of-memory")
    return "Give " + expected.name + " or the machine more memory, or let it do less at once (docker stats)";
  return "difyd logs " + expected.name + " says why; difyd restart " + expected.name + " tries again";
}

}  // namespace

findings judge_containers(const std::vector<expected_service>& expected, const stack::observed& now,
                          const std::vector<std::string>& runs) {
  std::vector<std::string> foreign, unbounded;
  for (const auto& each : now.containers) {
    const bool known = std::ranges::any_of(expected, [&](const auto& s) { return s.name == each.service; });
    const bool own_run =
        std::ranges::any_of(runs, [&](const auto& label) { return !each.label(label).empty(); });
    if (!own_run && (each.one_off ? each.running() : !known)) foreign.push_back(each.name);
    if (known && !each.one_off && each.logs_unbounded) unbounded.push_back(each.service);
  }
  findings found;
  if (foreign.empty())
    found.push_back(
        {"stack", "containers-ok", severity::ok, "every container of the project is difyd's", {}, false, {}});
  else
    found.push_back({"stack",
                     "containers-foreign",
                     severity::warning,
                     "containers of the project that difyd did not start: " + join(foreign, ", "),
                     "Where nobody needs them: docker rm -f " + join(foreign, " "),
                     false,
                     {}});
  if (!unbounded.empty())
    found.push_back({"logs",
                     "logs-unbounded",
                     severity::info,
                     "the logs of " + std::to_string(unbounded.size()) +
                         " services grow without a limit, on the disk of the engine",
                     "Give the engine \"log-opts\": {\"max-size\": \"20m\", \"max-file\": \"5\"} in "
                     "/etc/docker/daemon.json; it holds for containers made afterwards",
                     false,
                     {}});
  return found;
}

findings judge_services(const std::vector<expected_service>& expected, const stack::observed& now,
                        const std::set<std::string>& recovering) {
  findings found;
  for (const auto& each : expected) {
    auto looks = worst_of(each, stack::containers_of(now, each.name));
    if (looks.level > severity::warning && recovering.contains(each.name)) looks.level = severity::warning;
    found.push_back(
        {"service." + each.name, looks.code, looks.level, looks.detail, remedy_for(each, looks), false, {}});
  }
  return found;
}

}  // namespace difyd::health
