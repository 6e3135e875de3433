#include "port_holder.hpp"

#include <charconv>
#include <cstdio>

namespace difyd::front {
namespace {

constexpr duration retry{50};
constexpr duration last_answers{500};

bool still_wanted(const port_rules& rules, const served& now, const wanted_port& where) {
  return !now.leaving && rules.wanted(now) == where;
}

// Said once per port, not per attempt.
void complain(const Error& error, bool& said) {
  if (!said) std::fprintf(stderr, "<4>%s; trying again until it is free\n", error.message.c_str());
  said = true;
}

task<void> listen_while_wanted(http::server& server, cell<served>& current, const port_rules& rules,
                               wanted_port where) {
  for (bool said = false; still_wanted(rules, *current.get(), where);) {
    const auto listening = server.listen_tcp(where.address, where.port);
    if (listening) {
      if (rules.on_listening) rules.on_listening({where.address, server.port()});
      co_return;
    }
    complain(listening.error(), said);
    co_await pause(retry);
  }
}

task<void> hold_one(cell<served>& current, const port_rules& rules, wanted_port where) {
  http::server server(co_await asio::this_coro::executor, rules.answer, rules.options);
  co_await listen_while_wanted(server, current, rules, where);
  while (still_wanted(rules, *current.get(), where)) co_await current.changed(current.version());
  server.stop();
  co_await server.join(last_answers);
}

}  // namespace

std::optional<wanted_port> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  auto address = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  if (address.front() == '[') {
    if (address.back() != ']') return std::nullopt;
    address = address.substr(1, address.size() - 2);
  }
  wanted_port result{std::string(address), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc{} || end != port.data() + port.size() || port.empty()) return std::nullopt;
  return result;
}

task<void> hold_port(cell<served>& current, port_rules rules) {
  while (!current.get()->leaving) {
    const auto version = current.version();
    if (const auto where = rules.wanted(*current.get()))
      co_await hold_one(current, rules, *where);
    else
      co_await current.changed(version);
  }
}

}  // namespace difyd::front
