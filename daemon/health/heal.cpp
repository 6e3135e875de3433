#include "difyd/health/heal.hpp"

#include <algorithm>

namespace difyd::health {
namespace {

struct recent {
  int attempts = 0;
  wall_time last{};
};

recent recent_attempts(const heal_history& history, const std::string& service, const heal_policy& rules,
                       wall_time now) {
  recent result;
  const auto found = history.find(service);
  if (found == history.end()) return result;
  for (const auto at : found->second) {
    if (now - at > rules.budget_window) continue;
    ++result.attempts;
    result.last = std::max(result.last, at);
  }
  return result;
}

std::chrono::seconds delay_after(int attempts, const heal_policy& rules) {
  auto delay = rules.first_delay;
  for (int i = 1; i < attempts && delay < rules.longest_delay; ++i) delay *= 2;
  return std::min(delay, rules.longest_delay);
}

std::string cause_of(const service_state& service) {
  switch (service.condition) {
    case service_condition::unhealthy:
      return service.name + " is unhealthy";
    case service_condition::exited:
      return service.name + " has ended";
    case service_condition::missing:
      return "the container of " + service.name + " is gone";
    default:
      return {};
  }
}

proposal propose(const service_state& service, const heal_policy& rules, const recent& past, wall_time now) {
  const auto cause = cause_of(service);
  if (past.attempts >= rules.budget)
    return {service.name,
            heal_act::give_up,
            cause + " after " + std::to_string(past.attempts) + " restarts within " +
                std::to_string(rules.budget_window.count() / 60) + " min",
            {}};
  const auto earliest = past.attempts == 0 ? now : past.last + delay_after(past.attempts, rules);
  if (earliest > now) return {service.name, heal_act::wait, cause, earliest};
  const bool missing = service.condition == service_condition::missing;
  return {service.name, missing ? heal_act::recreate : heal_act::restart, cause, {}};
}

}  // namespace

std::vector<proposal> heal(const std::vector<service_state>& services, const heal_policy& rules,
                           const heal_history& history, wall_time now) {
  std::vector<proposal> result;
  for (const auto& each : services) {
    if (each.condition == service_condition::running || each.condition == service_condition::healthy)
      continue;
    result.push_back(propose(each, rules, recent_attempts(history, each.name, rules, now), now));
  }
  return result;
}

std::set<std::string> recovering(const heal_history& history, const heal_policy& rules, wall_time now) {
  std::set<std::string> names;
  for (const auto& [name, times] : history) {
    const auto past = recent_attempts(history, name, rules, now);
    if (past.attempts > 0 && past.attempts < rules.budget && now - past.last < rules.longest_delay)
      names.insert(name);
  }
  return names;
}

std::map<std::string, std::string> looping(const heal_history& history, const heal_policy& rules,
                                           wall_time now) {
  std::map<std::string, std::string> result;
  for (const auto& [name, times] : history) {
    const auto past = recent_attempts(history, name, rules, now);
    if (past.attempts >= rules.budget && now - past.last < 2 * rules.longest_delay)
      result[name] = name + " was restarted " + std::to_string(past.attempts) + " times within " +
                     std::to_string(rules.budget_window.count() / 60) + " min and does not stay up";
  }
  return result;
}

void forget(heal_history& history, const heal_policy& rules, wall_time now) {
  for (auto& [name, times] : history)
    std::erase_if(times, [&](wall_time at) { return now - at > rules.budget_window; });
  std::erase_if(history, [](const auto& each) { return each.second.empty(); });
}

}  // namespace difyd::health
