#include "watching.hpp"

#include <algorithm>
#include <utility>

#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "healing.hpp"
#include "maintenance.hpp"
#include "operations.hpp"

namespace difyd::supervisor {
namespace {

constexpr duration soon(200);

wall_time wall_now() { return std::chrono::system_clock::now(); }

std::string why(int exit_code, const stack::observed& now, const std::string& service) {
  const auto containers = stack::containers_of(now, service);
  const bool starved =
      std::ranges::any_of(containers, [](const auto* each) { return each->oom_killed && !each->running(); });
  return service + " ended with " + std::to_string(exit_code) + (starved ? " for want of memory" : "");
}

}  // namespace

watcher::watcher(world& w, task_group& owner) : world_(w), owner_(owner) {}

task<void> watcher::run() {
  world_.watches = true;
  stack::watch_options options;
  options.on_event = [this](const stack::container_event& event) { on_event(event); };
  options.on_observed = [this](const stack::observed& now) { on_observed(now); };
  options.on_open = [this] { world_.events_open = true; };
  options.on_lost = [this](const Error& error) { on_lost(error); };
  co_await stack::watch(world_.engine, world_.settings.project, std::move(options));
}

// Told once, not at every attempt.
void watcher::on_lost(const Error& error) {
  if (world_.events_open) log::warning("watch", "lost the engine", {{"cause", error.message}});
  world_.events_open = false;
}

bool watcher::minds(const std::string& service) const {
  const auto release = *world_.in_force.get();
  if (!may_heal(world_) || !release || pending_.contains(service) || kept_down(world_, service)) return false;
  const auto known = release->project.services.find(service);
  return known != release->project.services.end() && compose::wanted_scale(known->second) > 0;
}

void watcher::on_event(const stack::container_event& event) {
  if (event.action == "start") world_.container_started.set(true);
  // At once for whoever reads it; the whole truth follows with the next look.
  if (auto now = *world_.observed.get(); stack::apply(event, now)) world_.observed.set(std::move(now));
  if (event.one_off || event.service.empty()) return;
  if (event.action == "start") memory_[event.service].started = std::chrono::steady_clock::now();
  // A heal that runs takes things down itself: it is looked at once it is done.
  if (world_.chief.busy_with(priority::heal)) return look_again();
  if (event.action == "die") died(event.service, event.exit_code);
  if (event.action == "health_status" && event.health == "unhealthy") ill(event.service);
  if (event.action == "destroy") missing(event.service, event.name + " was removed");
}

void watcher::on_observed(const stack::observed& now) {
  world_.observed.set(now);
  const auto release = *world_.in_force.get();
  if (!may_heal(world_) || !release) return;
  for (const auto& [service, definition] : release->project.services) look_at(service, now);
}

void watcher::look_again() {
  if (std::exchange(looks_again_, true)) return;
  owner_.spawn("look after a heal", [](watcher* self) -> task<void> {
    while (self->world_.chief.busy_with(priority::heal)) co_await pause(soon);
    self->looks_again_ = false;
    if (auto now = co_await look(self->world_)) self->on_observed(*now);
  }(this));
}

void watcher::look_at(const std::string& service, const stack::observed& now) {
  const auto containers = stack::containers_of(now, service);
  if (containers.empty()) return missing(service, service + " has no container");
  const auto& one = *containers.front();
  if (one.state == "exited" || one.state == "dead" || one.state == "created") died(service, one.exit_code);
  if (one.running() && one.health == "unhealthy") ill(service);
}

void watcher::died(const std::string& service, int exit_code) {
  if (!minds(service)) return;
  const auto release = *world_.in_force.get();
  stack::death death;
  death.exit_code = exit_code;
  death.one_shot = release::one_shot(release->project, service);
  death.policy = release->project.services.at(service).restart;
  const auto decision = stack::decide_restart(death, memory_[service], std::chrono::steady_clock::now());
  memory_[service] = decision.memory;
  if (!decision.restart) return;
  const auto rules = heal_policy_of(world_.settings);
  const bool used_up = health::looping(world_.healed, rules, wall_now()).contains(service);
  const auto delay = used_up ? std::max<duration>(decision.delay, rules.longest_delay) : decision.delay;
  const auto cause = why(exit_code, *world_.observed.get(), service);
  world_.events.tell("", "service", service, "died", cause + "; it is started again in " + to_text(delay));
  heal_later(service, delay, cause);
}

void watcher::missing(const std::string& service, const std::string& cause) {
  if (!minds(service)) return;
  world_.events.tell("", "service", service, "missing", cause + "; it is made again");
  heal_later(service, soon, cause);
}

// It runs: a restart costs what it still does, so the budget is the last word.
void watcher::ill(const std::string& service) {
  if (!minds(service)) return;
  const auto proposed = health::heal({{service, health::service_condition::unhealthy}},
                                     heal_policy_of(world_.settings), world_.healed, wall_now());
  if (proposed.empty() || proposed.front().act != health::heal_act::restart) return;
  world_.events.tell("", "service", service, "unhealthy", proposed.front().cause + "; it is restarted");
  ill_.insert(service);
  heal_later(service, soon, proposed.front().cause);
}

void watcher::heal_later(const std::string& service, duration delay, const std::string& cause) {
  pending_.insert(service);
  world_.healed[service].push_back(wall_now());
  health::forget(world_.healed, heal_policy_of(world_.settings), wall_now());
  owner_.spawn("heal " + service, heal_after(service, delay, cause));
}

task<void> watcher::heal_after(std::string service, duration delay, std::string cause) {
  co_await pause(delay);
  // One that runs may have planned before this happened.
  while (may_heal(world_) && world_.chief.busy_with(priority::heal)) co_await pause(soon);
  pending_.erase(service);
  const bool restart = ill_.erase(service) > 0;
  if (!may_heal(world_)) co_return;
  std::vector<std::string> to_restart;
  if (restart) to_restart.push_back(service);
  propose_heal(world_, cause, std::move(to_restart));
}

}  // namespace difyd::supervisor
