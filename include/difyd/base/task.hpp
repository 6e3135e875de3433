// The coroutine type of the house and how a wait gets its deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "difyd/base/error.hpp"

namespace difyd {

namespace asio = boost::asio;

template <class T = void>
using task = asio::awaitable<T>;

using duration = std::chrono::milliseconds;

// "1.5 s", "90 s", "2 min": for sentences.
std::string to_text(duration time);

// The error that every expired deadline becomes; code "deadline-exceeded".
Error deadline_error(const std::string& what, duration limit);

// Waits without work; ends early (by exception) when cancelled.
task<void> pause(duration time);

// Runs `work` for at most `limit`. At the deadline the work is cancelled and waited for, so
// the deadline holds only for work made of Asio operations: blocking work belongs on a lane.
// `what` completes "cannot ...: no answer within ...". Cancellation of the caller passes through.
template <class T>
task<Result<T>> with_deadline(task<Result<T>> work, duration limit, std::string what) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, std::move(work), asio::deferred), timer.async_wait(asio::deferred));
  auto [order, failure, result, timer_error] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (!failure) co_return std::move(result);
  if (order[0] == 1 && !timer_error) co_return std::unexpected(deadline_error(what, limit));
  std::rethrow_exception(failure);
}

}  // namespace difyd
