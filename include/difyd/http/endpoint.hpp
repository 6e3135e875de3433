// Where a server is: a unix socket or host and port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "difyd/base/error.hpp"

namespace difyd::http {

struct endpoint {
  std::string path;  // of a unix socket; empty for TCP
  std::string host;  // name, IPv4 or IPv6 address without brackets
  std::uint16_t port = 0;

  bool is_unix() const { return !path.empty(); }
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

inline endpoint unix_endpoint(std::string path) { return {std::move(path), {}, 0}; }
inline endpoint tcp_endpoint(std::string host, std::uint16_t port) { return {{}, std::move(host), port}; }

// "unix:///run/x.sock", "tcp://host:2375", "tcp://[::1]:2375".
std::string to_text(const endpoint& where);

// Reads what DOCKER_HOST may hold. tcp:// without a port gets `default_port`. Error "endpoint-invalid"
// for everything else (ssh://, npipe://, https://, relative paths).
Result<endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 2375);

}  // namespace difyd::http
