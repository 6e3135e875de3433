// When what has died is started again: exponential back-off, pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace difyd::stack {

// What is remembered of one container between its deaths.
struct restart_memory {
  int failures = 0;  // starts in a row that did not last
  std::optional<std::chrono::steady_clock::time_point> started;
};

struct death {
  int exit_code = 0;
  bool expected = false;  // somebody asked for it: stop, kill, an operation of ours
  bool one_shot = false;  // others wait for its successful end
  std::string policy;     // the file's: no, always, unless-stopped, on-failure[:n]
};

struct restart_policy_limits {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds most{60000};
  std::chrono::milliseconds settled{300000};  // running this long forgets earlier failures
};

struct restart_decision {
  bool restart = false;
  std::chrono::milliseconds delay{0};
  restart_memory memory;  // to be kept; `started` is set by whoever starts it
  std::string reason;
};

// The n-th failure in a row waits first * 2^(n-1), at most `most`. Never restarted: an expected
// end, exit 0 of a one-shot, policy "no", exit 0 under on-failure, more failures than on-failure allows.
restart_decision decide_restart(const death& d, const restart_memory& memory,
                                std::chrono::steady_clock::time_point now,
                                const restart_policy_limits& limits = {});

}  // namespace difyd::stack
