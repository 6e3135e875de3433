// A value with one owner that others read as snapshots and can wait for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <memory>
#include <utility>

#include "difyd/base/task.hpp"

namespace difyd {

// One thread only. `set` replaces the value and wakes every waiter; a reader keeps the
// snapshot that it took for as long as it likes.
template <class T>
class cell {
 public:
  using snapshot = std::shared_ptr<const T>;

  explicit cell(asio::any_io_executor executor, T initial = {})
      : changed_(std::move(executor), asio::steady_timer::time_point::max()),
        value_(std::make_shared<const T>(std::move(initial))) {}

  snapshot get() const { return value_; }
  std::uint64_t version() const { return version_; }

  void set(T value) {
    value_ = std::make_shared<const T>(std::move(value));
    ++version_;
    changed_.cancel();
  }

  // Returns once the version differs from `seen`, at once if it does already.
  task<snapshot> changed(std::uint64_t seen) {
    while (version_ == seen) {
      boost::system::error_code woken;
      co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return value_;
  }

 private:
  asio::steady_timer changed_;
  snapshot value_;
  std::uint64_t version_ = 0;
};

}  // namespace difyd
