// Follows the project's containers; what dies or vanishes is proposed to be brought back.
#pragma once

#include <map>
#include <set>
#include <string>

#include "difyd/base/task_group.hpp"
#include "difyd/stack/restart.hpp"
#include "difyd/stack/watch.hpp"
#include "world.hpp"

namespace difyd::supervisor {

class watcher {
 public:
  watcher(world& w, task_group& owner);
  task<void> run();

 private:
  void on_event(const stack::container_event& event);
  void on_observed(const stack::observed& now);
  void died(const std::string& service, int exit_code);
  void restart_later(const std::string& service, duration delay, const std::string& cause);
  // Whether this is the time to heal: the stack should be up and nothing else changes it.
  bool minding() const;

  world& world_;
  task_group& owner_;  // of the pauses before restarts
  std::map<std::string, stack::restart_memory> memory_;
  std::set<std::string> pending_;
};

}  // namespace difyd::supervisor
