// An operation's events as a person sees them: a live line on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  void flush(const std::string& result);

  bool terminal_;
  bool json_;
  bool live_shown_ = false;
  std::vector<control::event> waiting_;  // a failed step, whose cause the result may say again
  control::event result_;
};

// One line for an event; empty for what people need not see.
std::string event_line(const control::event& event);

// Follows an operation to its result and returns the exit code for it. `interrupted` is what a person
// is told who ends the program meanwhile.
task<int> follow_operation(control::client& daemon, control::accepted what, bool json,
                           std::string interrupted);

// The same of what difyd abort was accepted for: that it ended is what was asked for.
task<int> follow_abort(control::client& daemon, control::accepted what, bool json);

// Follows the upgrade in flight, from its first step on; one that has ended is only told.
task<int> follow_upgrade(control::client& daemon, bool json);

inline constexpr const char* upgrade_goes_on =
    "the upgrade goes on in the daemon; follow it with: difyd upgrade --follow";

// 0 done, 1 failed, 2 the request was wrong, 4 refused, 5 undone, 6 held.
int result_code(const std::string& result, const std::string& code = {});

// The steps of an upgrade before the first event that is still told: lines for people.
std::vector<control::event> earlier_steps(const control::operation_status& upgrade,
                                          const control::event& first);

}  // namespace difyd::cli
