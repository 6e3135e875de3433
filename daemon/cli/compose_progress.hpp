// The operations of a plan as a person sees them: live lines on a terminal, plain lines elsewhere,
// in docker compose's words; private to cli.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "difyd/stack/executor.hpp"

namespace difyd::cli {

class plan_progress {
 public:
  // mode: auto, tty, plain, quiet
  plan_progress(const stack::Plan& plan, const std::string& mode);
  ~plan_progress();
  plan_progress(const plan_progress&) = delete;
  plan_progress& operator=(const plan_progress&) = delete;

  void show(const stack::operation& op, const stack::op_progress& progress);

 private:
  struct row {
    std::string what;  // "Container p-api-1"
    std::string text;
    stack::op_state state = stack::op_state::waiting;
    std::chrono::steady_clock::time_point began;
    double seconds = 0;
  };
  void show_kept(const std::string& what);
  void draw(bool last);
  row& row_of(const stack::operation& op);

  bool live_ = false;
  bool quiet_ = false;
  std::vector<row> rows_;
  std::size_t drawn_ = 0;
  std::chrono::steady_clock::time_point drawn_at_{};
};

}  // namespace difyd::cli
