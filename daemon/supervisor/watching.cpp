#include "watching.hpp"

#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "maintenance.hpp"
#include "operations.hpp"

namespace difyd::supervisor {
watcher::watcher(world& w, task_group& owner) : world_(w), owner_(owner) {}

bool watcher::minding() const {
  return world_.stands.get()->at == phase::serving && !world_.chief.busy_with(priority::command);
}

task<void> watcher::run() {
  stack::watch_options options;
  options.on_event = [this](const stack::container_event& event) { on_event(event); };
  options.on_observed = [this](const stack::observed& now) { on_observed(now); };
  options.on_lost = [](const Error& error) {
    log::warning("watch", "lost the engine", {{"cause", error.message}});
  };
  co_await stack::watch(world_.engine, world_.settings.project, std::move(options));
}

void watcher::on_event(const stack::container_event& event) {
  if (event.action == "start") world_.container_started.set(true);
  if (event.one_off || event.service.empty()) return;
  if (event.action == "start") memory_[event.service].started = std::chrono::steady_clock::now();
  if (event.action == "die") died(event.service, event.exit_code);
  if (event.action == "destroy" && minding() && !kept_down(world_, event.service))
    restart_later(event.service, duration(200), event.name + " was removed");
}

void watcher::on_observed(const stack::observed& now) {
  world_.observed.set(now);
  const auto release = *world_.in_force.get();
  if (!minding() || !release) return;
  for (const auto& [service, definition] : release->project.services) {
    if (kept_down(world_, service)) continue;
    const auto containers = stack::containers_of(now, service);
    if (containers.empty()) {
      restart_later(service, duration(200), service + " has no container");
    } else if (const auto& one = *containers.front();
               one.state == "exited" || one.state == "dead" || one.state == "created") {
      if (!pending_.contains(service)) died(service, one.exit_code);
    }
  }
}

void watcher::died(const std::string& service, int exit_code) {
  const auto release = *world_.in_force.get();
  if (!minding() || !release || !release->project.services.contains(service) || pending_.contains(service) ||
      kept_down(world_, service))
    return;
  stack::death death;
  death.exit_code = exit_code;
  death.one_shot = release::one_shot(release->project, service);
  death.policy = release->project.services.at(service).restart;
  const auto decision = stack::decide_restart(death, memory_[service], std::chrono::steady_clock::now());
  memory_[service] = decision.memory;
  if (!decision.restart) return;
  restart_later(service, decision.delay,
                service + " ended with " + std::to_string(exit_code) + ", " + decision.reason);
}

void watcher::restart_later(const std::string& service, duration delay, const std::string& cause) {
  if (!pending_.insert(service).second) return;
  // By pointer and value: the pause outlives this call, not the watcher.
  owner_.spawn("restart " + service,
               [](watcher* self, std::string name, duration time, std::string why) -> task<void> {
                 co_await pause(time);
                 // One that runs may have planned before this death.
                 while (self->minding() && self->world_.chief.busy_with(priority::heal))
                   co_await pause(duration(200));
                 self->pending_.erase(name);
                 if (self->minding()) propose_heal(self->world_, why);
               }(this, service, delay, cause));
}

}  // namespace difyd::supervisor
