#include "ports.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace difyd::compose {
namespace {

struct range {
  unsigned first = 0, last = 0;
};

std::optional<unsigned> port_number(std::string_view text) {
  unsigned n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || n > 65535)
    return std::nullopt;
  return n;
}

std::optional<range> port_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = port_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port_number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return range{*first, *last};
}

struct short_port {
  std::string ip;
  std::string_view published, target;
  std::string protocol = "tcp";
  bool brackets = false;  // around the address
};

short_port split(std::string_view spec) {
  short_port p;
  const auto slash_of = [](std::string_view t) { return t.find('/'); };
  const auto colon = spec.rfind(':');
  p.target = colon == std::string_view::npos ? spec : spec.substr(colon + 1);
  if (colon != std::string_view::npos) {
    const std::string_view before = spec.substr(0, colon);
    const auto second = before.rfind(':');
    p.published = second == std::string_view::npos ? before : before.substr(second + 1);
    if (second != std::string_view::npos) p.ip = before.substr(0, second);
  }
  if (const auto slash = slash_of(p.target); slash != std::string_view::npos) {
    const std::string_view proto = p.target.substr(slash + 1);
    const std::string_view first = proto.substr(0, slash_of(proto));
    if (!first.empty()) p.protocol = first;
    p.target = p.target.substr(0, slash);
  }
  p.brackets = p.ip.size() > 1 && p.ip.starts_with('[') && p.ip.ends_with(']');
  if (p.brackets) p.ip = p.ip.substr(1, p.ip.size() - 2);
  std::ranges::transform(p.protocol, p.protocol.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return p;
}

bool is_address(const std::string& ip) {
  in6_addr six{};
  in_addr four{};
  return inet_pton(AF_INET, ip.c_str(), &four) == 1 || inet_pton(AF_INET6, ip.c_str(), &six) == 1;
}

struct checked {
  range target;
  std::optional<range> published;
};

checked check(workspace& w, const node& n, const short_port& p) {
  const auto wrong = [&](const std::string& why) {
    refuse(w, n.at, why + " in port \"" + std::string(n.text) + "\"",
           "A port is [address:][published:]target[/tcp|udp|sctp], in quotes");
  };
  if (p.ip.find(':') != std::string::npos && !p.brackets)
    wrong("Invalid ip address: " + p.ip + ": an IPv6 address needs brackets");
  if (!p.ip.empty() && !is_address(p.ip)) wrong("Invalid ip address: " + p.ip);
  if (p.target.empty()) wrong("No port specified");
  const auto target = port_range(p.target);
  if (!target) wrong("Invalid containerPort: " + std::string(p.target));
  std::optional<range> published;
  if (!p.published.empty()) {
    published = port_range(p.published);
    if (!published) wrong("Invalid hostPort: " + std::string(p.published));
    if (target->first != target->last && target->last - target->first != published->last - published->first)
      wrong("Invalid ranges specified for container and host Ports: " + std::string(p.target) + " and " +
            std::string(p.published));
  }
  if (p.protocol != "tcp" && p.protocol != "udp" && p.protocol != "sctp")
    wrong("Invalid proto: " + p.protocol);
  return {*target, published};
}

std::string published_text(const checked& c, unsigned offset) {
  if (!c.published) return {};
  const std::string first = std::to_string(c.published->first + offset);
  const bool pick = c.target.first == c.target.last && c.published->first != c.published->last;
  return pick ? first + "-" + std::to_string(c.published->last) : first;
}

}  // namespace

void add_long_ports(workspace& w, const node& n, node& list) {
  const short_port p = split(n.text);
  const checked c = check(w, n, p);
  std::vector<std::pair<std::string, unsigned>> order;  // lexical by target
  for (unsigned i = 0; i <= c.target.last - c.target.first; ++i)
    order.emplace_back(std::to_string(c.target.first + i), i);
  std::ranges::sort(order);
  for (const auto& [target, offset] : order) {
    node port = make(kind::mapping, n.at);
    port.set("mode", make_text("ingress", n.at));
    if (!p.ip.empty()) port.set("host_ip", make_text(w.keep(p.ip), n.at));
    port.set("target", make_integer(c.target.first + offset, w.keep(target), n.at));
    const std::string published = published_text(c, offset);
    if (!published.empty()) port.set("published", make_text(w.keep(published), n.at));
    port.set("protocol", make_text(w.keep(p.protocol), n.at));
    list.fields.push_back({{}, n.at, std::move(port)});
  }
}

}  // namespace difyd::compose
