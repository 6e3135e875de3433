#include <poll.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <limits>

#include "session.hpp"

namespace difyd::http {
namespace {

// A client that sends more than this ahead is no longer watched, only served.
constexpr std::size_t max_ahead = 64u << 10;

// A unix socket tells a client that only closed its sending side from one that has gone; TCP does
// not, and there the end of sending counts as gone.
bool is_gone(session& of) {
  if (!of.from.identity) return true;
  pollfd probe{of.socket.native_handle(), 0, 0};
  return ::poll(&probe, 1, 0) > 0 && (probe.revents & (POLLHUP | POLLERR)) != 0;
}

// 0 at the end, -1 when there is nothing now.
ssize_t take(session& of) {
  const std::size_t before = of.buffer.size();
  of.buffer.resize(before + 4096);
  const ssize_t count = ::recv(of.socket.native_handle(), of.buffer.data() + before, 4096, MSG_DONTWAIT);
  const bool nothing_now = count < 0 && (errno == EAGAIN || errno == EINTR);
  of.buffer.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return count < 0 && !nothing_now ? 0 : count;
}

task<void> forever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

task<void> watch(session& of) {
  while (of.buffer.size() < max_ahead) {
    co_await of.socket.async_wait(stream_socket::wait_read, asio::use_awaitable);
    if (take(of) != 0) continue;
    if (is_gone(of)) co_return;
    break;
  }
  co_await forever();
}

task<std::optional<bool>> while_connected(session& of, task<bool> work) {
  const auto executor = co_await asio::this_coro::executor;
  auto group =
      asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(work), asio::deferred),
                                              asio::co_spawn(executor, watch(of), asio::deferred));
  auto [order, failure, result, watch_failure] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (!failure) co_return result;
  if (order[0] == 1) co_return std::nullopt;
  std::rethrow_exception(failure);
}

}  // namespace difyd::http
