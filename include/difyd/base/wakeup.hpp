// Wakes every coroutine that waits for something to change. One thread only.
#pragma once

#include <boost/asio/redirect_error.hpp>
#include <set>

#include "difyd/base/task.hpp"

namespace difyd {

class wakeup {
 public:
  std::uint64_t version() const { return version_; }

  void all() {
    ++version_;
    for (auto* timer : waiting_) timer->cancel();
  }

  // Returns when `all` was called after the version `seen`, or after `limit`.
  task<void> wait(std::uint64_t seen, duration limit) {
    if (version_ != seen) co_return;
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    const registration here(waiting_, timer);
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }

 private:
  struct registration {
    registration(std::set<asio::steady_timer*>& in, asio::steady_timer& timer) : all(in), self(&timer) {
      all.insert(self);
    }
    ~registration() { all.erase(self); }
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    std::set<asio::steady_timer*>& all;
    asio::steady_timer* self;
  };

  std::set<asio::steady_timer*> waiting_;
  std::uint64_t version_ = 0;
};

}  // namespace difyd
