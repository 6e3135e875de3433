// One application of a plan; private to stack.
#pragma once

#include <map>

#include "conditions.hpp"
#include "difyd/base/wakeup.hpp"
#include "difyd/stack/executor.hpp"

namespace difyd::stack {

// Prefixes an engine's error with what was tried, unless it says so itself.
Error naming(const Error& error, const std::string& what, const std::string& target);

api_version api_of(const engine::engine_version& v);

task<Result<>> put_files(engine::client& engine, std::string id, std::vector<inline_file> files);

// Further networks and files of a container that has just been created.
task<Result<>> finish_created(engine::client& engine, std::string id, create_request request,
                              std::vector<inline_file> files);

enum class hook_point { post_start, pre_stop };

class plan_run {
 public:
  plan_run(engine::client& engine, Plan plan, apply_options options);
  task<Result<apply_report>> run();

 private:
  using state = op_state;

  task<Result<>> run_all();
  task<Result<>> run_one(std::size_t index);
  task<bool> turn(std::size_t index);  // false: something failed before its turn came
  task<Result<>> conditions(const operation& op);
  task<Result<>> perform(const operation& op);

  task<Result<>> pull(const operation& op);
  task<Result<>> make_folder(const operation& op);
  task<Result<>> create_network(const operation& op);
  task<Result<>> create_volume(const operation& op);
  task<Result<std::string>> make_container(const operation& op, std::string replaces);
  task<Result<>> create_container(const operation& op);
  task<Result<>> recreate_container(const operation& op);
  task<Result<>> connect_network(const operation& op);
  task<Result<>> set_policy(const operation& op);
  task<Result<>> start(const operation& op);
  task<Result<>> stop(const operation& op);
  task<Result<>> restart(const operation& op);
  task<Result<>> remove_container(const operation& op);
  task<Result<>> remove_resource(const operation& op);

  task<Result<create_context>> context(const operation& op, std::string replaces);
  task<Result<>> renew_files(const operation& op);
  const compose::service* service_of(const operation& op) const;  // null: not in the project
  task<Result<>> run_hooks(const operation& op, hook_point at);
  task<Result<std::string>> container_of(const std::string& service);
  duration stop_limit(const operation& op) const;
  std::string id_of(const operation& op) const;
  void report(const operation& op, op_state to, std::string text = {}, double fraction = -1);
  void warn(std::string text);

  engine::client& engine_;
  Plan plan_;
  apply_options options_;
  condition_board board_;
  wakeup moved_;
  std::map<int, op_state> states_;                // by operation::id
  std::map<std::string, std::string> ids_;        // container name -> id, of what this run made
  std::map<std::string, std::string> image_ids_;  // reference -> id
  std::set<std::string> fresh_;                   // ids that this run created and has not started
  std::set<int> left_;                            // operation::id of removals of what others use
  std::optional<Error> failure_;
  int pulling_ = 0;
  apply_report report_;
};

}  // namespace difyd::stack
