// Stream sockets of both families as one type, always close-on-exec.
#pragma once

#include <sys/socket.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/lane.hpp"
#include "difyd/base/task.hpp"
#include "difyd/http/endpoint.hpp"

namespace difyd::http {

using stream_socket = asio::generic::stream_protocol::socket;

struct socket_address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Error "connection-failed" for a path that is too long.
Result<socket_address> unix_address(const std::string& path);
// Numeric IPv4 or IPv6 address only; nullopt for a name.
std::optional<socket_address> numeric_address(const std::string& host, std::uint16_t port);
std::string to_text(const socket_address& address);  // "192.0.2.1:80", "[::1]:80", "unix"

// Takes ownership of the descriptor.
stream_socket adopt_stream(const asio::any_io_executor& executor, int family, int descriptor);

// Names are resolved on a lane, because getaddrinfo blocks; it is made when first needed.
using resolver = std::unique_ptr<lane>;

// `names` must outlive the task.
task<Result<stream_socket>> connect(endpoint where, resolver& names);

// Appends what has come to `buffer`; 0 at the end. Cancellation throws.
task<Result<std::size_t>> read_some(stream_socket& socket, std::string& buffer);
// All of it. Cancellation throws.
task<Result<>> write_all(stream_socket& socket, std::string_view bytes);

}  // namespace difyd::http
