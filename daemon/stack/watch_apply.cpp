#include <algorithm>

#include "difyd/stack/watch.hpp"

namespace difyd::stack {
namespace {

void died(const container_event& event, observed_container& one) {
  one.state = "exited";
  one.exit_code = event.exit_code;
  one.health.clear();
}

void started(observed_container& one) {
  one.state = "running";
  one.oom_killed = false;
  // Whether it has a health check is known from its last run.
  if (!one.health.empty()) one.health = "starting";
}

bool change(const container_event& event, observed_container& one) {
  const auto& action = event.action;
  if (action == "die")
    died(event, one);
  else if (action == "start")
    started(one);
  else if (action == "oom")
    one.oom_killed = true;
  else if (action == "pause")
    one.state = "paused";
  else if (action == "unpause")
    one.state = "running";
  else if (action == "health_status")
    one.health = event.health;
  else
    return false;
  return true;
}

}  // namespace

bool apply(const container_event& event, observed& now) {
  if (event.action == "destroy")
    return std::erase_if(now.containers, [&](const auto& each) { return each.id == event.id; }) > 0;
  const auto found = std::ranges::find(now.containers, event.id, &observed_container::id);
  return found != now.containers.end() && change(event, *found);
}

}  // namespace difyd::stack
