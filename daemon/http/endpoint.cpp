#include "difyd/http/endpoint.hpp"

#include <charconv>
#include <optional>

namespace difyd::http {
namespace {

std::unexpected<Error> invalid(std::string_view text, const std::string& cause) {
  return fail("endpoint-invalid", "cannot use the address \"" + std::string(text) + "\": " + cause,
              "Write unix:///run/docker.sock or tcp://host:2375");
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Host and port text of "host", "host:port", "[v6]", "[v6]:port".
struct authority {
  std::string_view host;
  std::string_view port;
  bool has_port = false;
};

std::optional<authority> split_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
    return authority{text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1), !rest.empty()};
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return authority{text, {}, false};
  return authority{text.substr(0, colon), text.substr(colon + 1), true};
}

Result<endpoint> parse_tcp(std::string_view whole, std::string_view rest, std::uint16_t default_port) {
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@ ") != std::string_view::npos)
    return invalid(whole, "only a host and a port may follow tcp://");
  const auto parts = split_authority(rest);
  if (!parts || parts->host.empty()) return invalid(whole, "it names no host");
  if (!parts->has_port) return tcp_endpoint(std::string(parts->host), default_port);
  const auto port = parse_port(parts->port);
  if (!port) return invalid(whole, "the port must be a number from 1 to 65535");
  return tcp_endpoint(std::string(parts->host), *port);
}

Result<endpoint> parse_unix(std::string_view whole, std::string_view path) {
  constexpr std::size_t longest = 107;  // sun_path and its final zero, unix(7)
  if (!path.starts_with('/')) return invalid(whole, "the path of the socket must be absolute");
  if (path.size() > longest) return invalid(whole, "the path of a socket may have at most 107 characters");
  return unix_endpoint(std::string(path));
}

}  // namespace

std::string to_text(const endpoint& where) {
  if (where.is_unix()) return "unix://" + where.path;
  const bool v6 = where.host.find(':') != std::string::npos;
  return "tcp://" + (v6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

Result<endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with("unix://")) return parse_unix(text, text.substr(7));
  if (text.starts_with("tcp://")) return parse_tcp(text, text.substr(6), default_port);
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return invalid(text, "it does not begin with unix:// or tcp://");
  return invalid(text, "connections by " + std::string(text.substr(0, scheme)) + ":// are not supported");
}

}  // namespace difyd::http
