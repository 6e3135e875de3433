#include "socket.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>

namespace difyd::http {
namespace {

constexpr std::size_t read_size = 16u << 10;
constexpr duration resolve_limit = std::chrono::seconds(5);

[[noreturn]] void cancelled() { throw boost::system::system_error(asio::error::operation_aborted); }

std::unexpected<Error> connect_error(const endpoint& where, int cause) {
  const std::string begin = "cannot connect to " + to_text(where) + ": ";
  switch (cause) {
    case ENOENT:
    case ENOTDIR:
      return fail("socket-missing", begin + "there is no such socket");
    case EACCES:
    case EPERM:
      return fail("permission-denied", begin + "permission denied");
    case ECONNREFUSED:
      return fail("connection-refused", begin + "nobody listens there");
    default:
      return fail("connection-failed", begin + std::strerror(cause));
  }
}

std::unexpected<Error> lost(const std::string& cause) {
  return fail("connection-lost", "cannot go on with a request: " + cause);
}

Result<std::vector<socket_address>> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int cause = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (cause != 0)
    return fail("host-unknown", "cannot resolve the host \"" + host + "\": " + ::gai_strerror(cause));
  std::vector<socket_address> result;
  for (const addrinfo* each = found; each; each = each->ai_next) {
    socket_address address;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
    result.push_back(address);
  }
  ::freeaddrinfo(found);
  return result;
}

task<Result<std::vector<socket_address>>> addresses_of(endpoint where, resolver& names) {
  if (where.is_unix()) {
    auto address = unix_address(where.path);
    if (!address) co_return std::unexpected(std::move(address.error()));
    co_return std::vector{*address};
  }
  if (const auto address = numeric_address(where.host, where.port)) co_return std::vector{*address};
  if (!names) names = std::make_unique<lane>(co_await asio::this_coro::executor, "resolver");
  for (;;) {
    std::function<Result<std::vector<socket_address>>()> call = [where] {
      return resolve(where.host, where.port);
    };
    std::string what = "resolve the host \"" + where.host + "\"";
    auto found =
        co_await names->run<std::vector<socket_address>>(std::move(call), resolve_limit, std::move(what));
    if (found || found.error().code != "lane-busy") co_return std::move(found);
    co_await pause(std::chrono::milliseconds(20));  // bounded by the caller's deadline
  }
}

// 0, or the cause as an errno value.
task<int> connect_to(stream_socket& socket, const socket_address& address) {
  for (;;) {
    if (::connect(socket.native_handle(), address.get(), address.length) == 0) co_return 0;
    if (errno == EINPROGRESS) break;
    // A unix socket whose backlog is full: it cannot be waited for, only tried again.
    if (errno != EAGAIN && errno != EINTR) co_return errno;
    co_await pause(std::chrono::milliseconds(20));
  }
  boost::system::error_code error;
  co_await socket.async_wait(stream_socket::wait_write, asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) cancelled();
  int cause = 0;
  socklen_t size = sizeof cause;
  ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &cause, &size);
  co_return cause;
}

}  // namespace

Result<socket_address> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return fail("connection-failed", "cannot use the socket " + path + ": its path is too long or empty");
  std::memcpy(address.sun_path, path.data(), path.size());
  socket_address result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return result;
}

std::optional<socket_address> numeric_address(const std::string& host, std::uint16_t port) {
  socket_address result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    result.length = sizeof *v4;
    return result;
  }
  if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    result.length = sizeof *v6;
    return result;
  }
  return std::nullopt;
}

std::string to_text(const socket_address& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (address.family() == AF_UNIX) return "unix";
  if (::getnameinfo(address.get(), address.length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "unknown";
  const bool v6 = address.family() == AF_INET6;
  return (v6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

stream_socket adopt_stream(const asio::any_io_executor& executor, int family, int descriptor) {
  const int on = 1;
  if (family != AF_UNIX) ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return stream_socket(executor, asio::generic::stream_protocol(family, 0), descriptor);
}

task<Result<stream_socket>> connect(endpoint where, resolver& names) {
  const auto executor = co_await asio::this_coro::executor;
  auto addresses = co_await addresses_of(where, names);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()));
  int cause = EHOSTUNREACH;
  for (const auto& address : *addresses) {
    const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) co_return connect_error(where, errno);
    stream_socket socket = adopt_stream(executor, address.family(), descriptor);
    cause = co_await connect_to(socket, address);
    if (cause == 0) co_return std::move(socket);
  }
  co_return connect_error(where, cause);
}

task<Result<std::size_t>> read_some(stream_socket& socket, std::string& buffer) {
  const std::size_t before = buffer.size();
  buffer.resize(before + read_size);
  boost::system::error_code error;
  std::size_t count = 0;
  try {
    count = co_await socket.async_read_some(asio::buffer(buffer.data() + before, read_size),
                                            asio::redirect_error(asio::use_awaitable, error));
  } catch (...) {
    buffer.resize(before);
    throw;
  }
  buffer.resize(before + count);
  if (error == asio::error::operation_aborted) cancelled();
  if (error && error != asio::error::eof) co_return lost(error.message());
  co_return count;
}

task<Result<>> write_all(stream_socket& socket, std::string_view bytes) {
  boost::system::error_code error;
  co_await asio::async_write(socket, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) cancelled();
  if (error) co_return lost(error.message());
  co_return Result<>{};
}

}  // namespace difyd::http
