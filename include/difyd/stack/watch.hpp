// Follows what happens to a project's containers.
#pragma once

#include <difyd/engine/client.hpp>
#include <difyd/stack/observe.hpp>
#include <functional>

namespace difyd::stack {

struct container_event {
  std::string action;  // create start die stop kill oom destroy rename pause unpause health_status
  std::string id;
  std::string name;
  std::string service;
  std::string health;  // of health_status: healthy, unhealthy
  int exit_code = 0;   // of die
  int signal = 0;      // of kill
  bool one_off = false;
  std::int64_t time_nano = 0;
};

struct watch_options {
  std::function<void(const container_event&)> on_event;
  // After the stream is open, and again after every reconnect and `resync`: the whole truth.
  std::function<void(const observed&)> on_observed;
  std::function<void()> on_open;              // the event stream is open
  std::function<void(const Error&)> on_lost;  // the engine went away; the watch goes on trying
  observe_options observe;
  duration resync{std::chrono::seconds(30)};  // with a fifth of jitter; 0 = never
  duration first_retry{200};
  duration most_retry{std::chrono::seconds(5)};
};

// Runs until cancelled. The stream is reopened with `since` the last event, repeats are dropped, and
// everything is observed again, so that nothing is missed.
task<void> watch(engine::client& engine, std::string project, watch_options options);

// `now` as it is after the event, as far as the event tells: states and health at once, while a new look
// would take its time. False where it says nothing new, or about a container that is not known yet.
bool apply(const container_event& event, observed& now);

// nullopt for what is not a container's event that matters (exec_start and its like).
std::optional<container_event> container_event_of(const engine::event& e);

}  // namespace difyd::stack
