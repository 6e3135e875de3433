// What happened, kept for a while and told to whoever follows.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::supervisor {

class event_log {
 public:
  explicit event_log(asio::any_io_executor executor, std::size_t kept = 4000);

  // Gives the event its sequence and time, keeps it, logs it, wakes the followers.
  std::uint64_t add(control::event event);
  void tell(std::string operation, std::string kind, std::string subject, std::string state,
            std::string text);
  std::uint64_t last() const { return last_; }

  // Events after `seen` that are still kept; waits for one where there is none.
  task<std::vector<control::event>> after(std::uint64_t seen);

 private:
  asio::steady_timer added_;
  std::deque<control::event> events_;
  std::uint64_t last_ = 0;
  std::size_t kept_;
};

}  // namespace difyd::supervisor
