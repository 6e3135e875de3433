// An operation's events as a person sees them: a live line on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "difyd/control/client.hpp"

namespace difyd::cli {

class progress {
 public:
  progress(bool terminal, bool json) : terminal_(terminal), json_(json) {}

  // True until the result event of the operation was seen.
  bool show(const control::event& event);
  const control::event& result() const { return result_; }

 private:
  void line(const std::string& text);
  void live(const std::string& text);
  void clear_live();

  bool terminal_;
  bool json_;
  bool live_shown_ = false;
  control::event result_;
};

// One line for an event; empty for what people need not see.
std::string event_line(const control::event& event);

// Follows an operation to its result and returns the exit code for it.
task<int> follow_operation(control::client& daemon, control::accepted what, bool json);

// 0 done, 1 failed, 4 refused, 5 undone, 6 held.
int result_code(const std::string& result);

}  // namespace difyd::cli
