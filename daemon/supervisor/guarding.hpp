// The guard over an upgrade's engine and databases, from the proof of silence to the commit.
#pragma once

#include <set>
#include <string>

#include "difyd/base/task_group.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What may be on the engine, before anything of the release was started or since.
upgrade::guarded guard_rules(const world& w, std::string id, const compose::project& project, bool started);

// While w.guarded has rules: what they do not allow is ended and reported, a container as soon as the engine
// tells that it started, a session within about a second. In a hold, containers only.
class guard {
 public:
  guard(world& w, task_group& owner);
  task<void> run();

 private:
  task<void> look_once(upgrade::guarded rules);
  task<void> kill(std::string upgrade, upgrade::intruder found);

  world& world_;
  task_group& owner_;  // of the kills: each takes the engine a while, and what starts meanwhile is looked at
  std::set<std::string> dying_;
};

}  // namespace difyd::supervisor
