// Carries out a plan: what is planned, in the planned order, as parallel as the order allows.
#pragma once

#include <difyd/engine/client.hpp>
#include <difyd/stack/plan.hpp>
#include <functional>

namespace difyd::stack {

struct op_progress {
  enum class state { waiting, working, done, failed, cancelled };
  int operation = 0;  // operation::id
  enum state state = state::waiting;
  std::string text;      // "pulling 12.3 MiB of 80 MiB", "waiting for redis to be healthy", the error
  double fraction = -1;  // 0..1 of a pull, -1 = unknown
};

using op_state = enum op_progress::state;

const char* to_text(op_state state);

using on_op_progress = std::function<void(const operation&, const op_progress&)>;

struct apply_options {
  on_op_progress progress;
  std::function<void(const std::string&)> warn;
  // What to do for create_folder; default: std::filesystem. A share that may hang is reached through a
  // helper.
  std::function<task<Result<>>(std::string path)> make_folder;
  // Asked before each operation that starts a container; its error is the operation's.
  std::function<task<Result<>>()> may_start;
  // X-Registry-Auth for an image reference; default anonymous.
  std::function<task<Result<std::string>>(std::string image)> registry_auth;
  compose::text_map base_environment;  // as in create_context
  int parallel_pulls = 4;
  duration dependency_limit{std::chrono::minutes(15)};  // for one condition to come true
  duration stop_margin{std::chrono::seconds(30)};  // beyond the grace, until the engine has to have answered
  duration create_limit{std::chrono::minutes(2)};
  duration start_limit{std::chrono::minutes(5)};
  duration hook_limit{std::chrono::minutes(5)};  // for each command of post_start and pre_stop
  // A pre_stop that fails, or outlasts the grace, is told, and the container stopped all the same.
  bool stops_regardless = false;
};

struct apply_report {
  int done = 0;
  std::vector<std::string> warnings;
};

// Operations may have been taken out of the plan: nothing waits for them. Engine events instead of polling
// tell when a condition holds. After the first failure nothing new begins; what runs is waited for; the error
// names container and cause. A container that this call created and that cannot be started is removed again.
// Errors besides the engine's: "dependency-failed", "deadline-exceeded", "hook-failed".
task<Result<apply_report>> apply(engine::client& engine, Plan plan, apply_options options = {});

// Waits until every container of the services runs and is healthy (or, where a dependent waits for that, has
// ended with 0): `up --wait`. Error "not-healthy".
task<Result<>> wait_until_ready(engine::client& engine, std::shared_ptr<const compose::project> project,
                                std::vector<std::string> services, duration limit);

}  // namespace difyd::stack
