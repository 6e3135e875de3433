// Holds a port for as long as the published verdict asks for it.
#pragma once

#include <functional>
#include <optional>

#include "difyd/http/server.hpp"
#include "verdict_file.hpp"

namespace difyd::front {

struct wanted_port {
  std::string address;
  std::uint16_t port = 0;
  friend bool operator==(const wanted_port&, const wanted_port&) = default;
};

// "127.0.0.1:9180", "[::]:9180". nullopt for anything else.
std::optional<wanted_port> parse_listen(std::string_view text);

struct port_rules {
  std::function<std::optional<wanted_port>(const served&)> wanted;
  http::handler answer;
  http::server_options options;
  std::function<void(const wanted_port&)> on_listening;  // with the port that port 0 became
};

// A port that is still taken (nginx is just being stopped) is tried again until it is free
// or no longer wanted. Lets go within half a second. Returns once `leaving` is set.
task<void> hold_port(cell<served>& current, port_rules rules);

}  // namespace difyd::front
