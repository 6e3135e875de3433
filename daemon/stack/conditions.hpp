// When a dependency's condition holds: told by events, proven by inspection; private to stack.
#pragma once

#include <functional>

#include "difyd/base/wakeup.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/stack/plan.hpp"

namespace difyd::stack {

enum class condition_state { pending, holds, failed };

struct condition_result {
  condition_state state = condition_state::pending;
  std::string text;  // why it failed, or what is waited for
};

// Pure. What one container says about a condition.
condition_result judge_condition(const std::string& condition, const engine::container& c);

class condition_board {
 public:
  condition_board(engine::client& engine, std::string project)
      : engine_(engine), project_(std::move(project)) {}

  // Keeps the event stream open until cancelled; waiting works without it, only slower.
  task<void> follow();
  // Error "dependency-failed", "deadline-exceeded". Ends with success early when `give_up` says so.
  task<Result<>> wait(wait_condition what, duration limit, std::function<bool()> give_up);
  void wake() { changed_.all(); }

 private:
  task<Result<condition_result>> look(wait_condition what);

  engine::client& engine_;
  std::string project_;
  wakeup changed_;
};

}  // namespace difyd::stack
