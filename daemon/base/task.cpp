#include "difyd/base/task.hpp"

#include <cstdio>

namespace difyd {

std::string to_text(duration time) {
  char buffer[48];
  const double seconds = static_cast<double>(time.count()) / 1000.0;
  if (time < std::chrono::seconds(1))
    std::snprintf(buffer, sizeof buffer, "%lld ms", static_cast<long long>(time.count()));
  else if (time < std::chrono::minutes(3))
    std::snprintf(buffer, sizeof buffer, "%.3g s", seconds);
  else
    std::snprintf(buffer, sizeof buffer, "%.3g min", seconds / 60);
  return buffer;
}

Error deadline_error(const std::string& what, duration limit) {
  return Error{"deadline-exceeded", "cannot " + what + ": no answer within " + to_text(limit), {}};
}

task<void> pause(duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace difyd
