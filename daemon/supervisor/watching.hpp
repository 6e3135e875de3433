// Follows the project's containers; what dies, vanishes or is ill is proposed to be brought back.
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
  void on_lost(const Error& error);
  void look_again();
  void look_at(const std::string& service, const stack::observed& now);
  void died(const std::string& service, int exit_code);
  void missing(const std::string& service, const std::string& cause);
  void ill(const std::string& service);
  bool minds(const std::string& service) const;
  void heal_later(const std::string& service, duration delay, const std::string& cause);
  task<void> heal_after(std::string service, duration delay, std::string cause);

  world& world_;
  task_group& owner_;  // of the pauses before restarts
  std::map<std::string, stack::restart_memory> memory_;
  std::set<std::string> pending_;  // to be healed after their pause
  bool looks_again_ = false;
  std::set<std::string> ill_;  // of these, those that run and must be restarted
};

}  // namespace difyd::supervisor
