#include <boost/asio/ip/tcp.hpp>

#include "difyd/front/published.hpp"

namespace difyd::front {
namespace {

// Bound and closed again: the port was free at that moment.
bool can_bind(asio::any_io_executor executor, const asio::ip::tcp::endpoint& where) {
  boost::system::error_code error;
  asio::ip::tcp::acceptor acceptor(executor);
  acceptor.open(where.protocol(), error);
  if (error) return false;
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  acceptor.bind(where, error);
  if (!error) acceptor.listen(1, error);
  return !error;
}

}  // namespace

task<Result<>> wait_until_port_free(std::string address, std::uint16_t port, duration limit) {
  const auto executor = co_await asio::this_coro::executor;
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) co_return fail("bad-address", "cannot use " + address + " as an address: " + error.message());
  const asio::ip::tcp::endpoint where(parsed, port);
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!can_bind(executor, where)) {
    if (std::chrono::steady_clock::now() >= end)
      co_return fail("port-taken", "cannot use port " + std::to_string(port) + ": another program holds it",
                     "Find it with: ss -ltnp sport = :" + std::to_string(port));
    co_await pause(std::chrono::milliseconds(20));
  }
  co_return Result<>{};
}

}  // namespace difyd::front
