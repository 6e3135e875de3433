#include "listener.hpp"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>

#include "difyd/base/log.hpp"

namespace difyd::http {
namespace {

// What a full descriptor table needs to empty; without it the loop would spin.
constexpr duration after_failure = std::chrono::milliseconds(100);

std::optional<credentials> credentials_of(int descriptor) {
  ucred found{};
  socklen_t size = sizeof found;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &found, &size) != 0) return std::nullopt;
  return credentials{found.pid, found.uid, found.gid};
}

socket_address local_address(int descriptor) {
  socket_address address;
  address.length = sizeof address.storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    address.length = 0;
  return address;
}

}  // namespace

listener::listener(const asio::any_io_executor& executor, int descriptor, std::string path)
    : socket_(executor, descriptor), path_(std::move(path)) {
  struct stat file{};
  if (path_.empty() || ::lstat(path_.c_str(), &file) != 0) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

task<std::optional<accepted>> listener::accept() {
  co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
  socket_address address;
  address.length = sizeof address.storage;
  const int descriptor = ::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&address.storage),
                                   &address.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) co_return std::nullopt;
    log::warning("http", "cannot accept a connection", {{"cause", std::strerror(errno)}});
    co_await pause(after_failure);
    co_return std::nullopt;
  }
  const int family = local_address(descriptor).family();
  accepted result{adopt_stream(co_await asio::this_coro::executor, family, descriptor), {}};
  result.from.address = family == AF_UNIX ? "unix" : to_text(address);
  if (family == AF_UNIX) result.from.identity = credentials_of(descriptor);
  co_return std::move(result);
}

void listener::close() {
  boost::system::error_code ignored;
  if (!socket_.is_open()) return;
  struct stat file{};
  const bool ours =
      !path_.empty() && ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  socket_.close(ignored);
}

std::uint16_t listener::port() const {
  const auto address = local_address(const_cast<asio::posix::stream_descriptor&>(socket_).native_handle());
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  if (address.family() == AF_INET) return ntohs(v4->sin_port);
  return address.family() == AF_INET6 ? ntohs(v6->sin6_port) : 0;
}

}  // namespace difyd::http
