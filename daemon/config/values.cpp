#include "values.hpp"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "difyd/base/text.hpp"

namespace difyd::config {
namespace {

using complaint = std::optional<mistake>;

complaint wrong_type(const key& row, const node& value) {
  return mistake{
      value.at, "config-wrong-type", std::string(row.path) + " wants " + std::string(type_name(row)), {}};
}

complaint out_of_range(const key& row, const node& value, const std::string& wants, std::string remedy = {}) {
  return mistake{value.at, "config-out-of-range",
                 std::string(row.path) + " is \"" + value.text + "\" but must be " + wants,
                 std::move(remedy)};
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_name(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == '_') return false;
  return std::ranges::all_of(
      text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

bool is_environment_key(std::string_view text) {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = parse_number(text.substr(colon + 1));
  return port && *port >= 1 && *port <= 65535;
}

// What http::parse_endpoint takes, without its defaults.
bool is_engine(std::string_view text) {
  if (text.starts_with("unix:///")) return text.size() > 8;
  if (!text.starts_with("tcp://")) return false;
  text.remove_prefix(6);
  if (text.ends_with('/')) text.remove_suffix(1);
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  const std::string_view host = text.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0));
  const std::string_view port =
      end == std::string_view::npos ? std::string_view() : text.substr(end + (bracketed ? 1 : 0));
  if (host.empty() || host.find('/') != std::string_view::npos) return false;
  if (bracketed && end == std::string_view::npos) return false;
  return port.empty() || is_address("host" + std::string(port));
}

std::string engine_remedy(std::string_view text) {
  if (text.starts_with('/')) return "Did you mean unix://" + std::string(text) + "?";
  if (text.starts_with("unix:")) return "The path of a socket is absolute: unix:///var/run/docker.sock";
  if (text.find("://") == std::string_view::npos && is_address(text))
    return "Did you mean tcp://" + std::string(text) + "?";
  return "For the engine of this machine: unix:///var/run/docker.sock";
}

std::string choices(std::string_view range) {
  const auto words = split(range, '|');
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

complaint check_choice(const key& row, const node& value) {
  const auto words = split(row.range, '|');
  if (std::ranges::find(words, value.text) != words.end()) return std::nullopt;
  const std::string guess = closest(value.text, words);
  return out_of_range(row, value, choices(row.range), guess.empty() ? "" : "Did you mean " + guess + "?");
}

std::string absolute_remedy(const key& row, const std::string& text) {
  const auto example = row.fallback.empty() ? row.example : row.fallback;
  return "Begin it with /, for example " + (example.empty() ? "/etc/difyd/" + text : std::string(example));
}

// The value is not repeated: it may hold a password.
complaint check_url(const key& row, const node& value) {
  const auto has = [&](std::string_view scheme) {
    return value.text.starts_with(scheme) && value.text.size() > scheme.size() &&
           value.text[scheme.size()] != '/';
  };
  const auto wrong = [&](const std::string& cause, std::string remedy) {
    return mistake{value.at, "config-out-of-range", std::string(row.path) + " " + cause, std::move(remedy)};
  };
  const std::string example = "For example " + std::string(row.example);
  if (value.text.find_first_of(" \t\r\n") != std::string::npos) return wrong("has a space in it", example);
  if (row.wants == form::proxy) {
    if (has("http://") || has("https://") || has("socks5h://")) return std::nullopt;
    return wrong("must begin with http://, https:// or socks5h:// and name a host", example);
  }
  if (!has("http://") && !has("https://"))
    return wrong("must begin with http:// or https:// and name a host", example);
  if (value.text.find("{version}") == std::string::npos)
    return wrong("has no {version} in it, which is replaced by the version that is wanted", example);
  return std::nullopt;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

complaint check_text(const key& row, const node& value) {
  const bool path = value.text.starts_with('/');
  switch (row.wants) {
    case form::name:
      if (is_name(value.text)) return std::nullopt;
      return out_of_range(row, value, "made of lower-case letters, digits, - and _");
    case form::absolute_path:
      if (path) return std::nullopt;
      return out_of_range(row, value, "an absolute path", absolute_remedy(row, value.text));
    case form::folder:
      if (path) return std::nullopt;
      return out_of_range(row, value, "an absolute path",
                          value.text.find("://") == std::string::npos
                              ? absolute_remedy(row, value.text)
                              : "What releases are downloaded from is releases.url");
    case form::url_of_version:
    case form::proxy:
      return check_url(row, value);
    case form::engine:
      if (is_engine(value.text)) return std::nullopt;
      return out_of_range(row, value, "unix:///path or tcp://host:port", engine_remedy(value.text));
    case form::address:
      if (is_address(value.text)) return std::nullopt;
      return out_of_range(row, value, "address:port");
    case form::choice:
      return check_choice(row, value);
    default:
      return std::nullopt;
  }
}

// "low..high" of numbers or durations.
template <class T, class Parse>
bool within(std::string_view range, T value, Parse parse) {
  const std::size_t dots = range.find("..");
  if (dots == std::string_view::npos) return true;
  return value >= *parse(range.substr(0, dots)) && value <= *parse(range.substr(dots + 2));
}

std::string between(std::string_view range) {
  const std::size_t dots = range.find("..");
  return "from " + std::string(range.substr(0, dots)) + " to " + std::string(range.substr(dots + 2));
}

complaint set(const key& row, const node& value, std::string& into) {
  if (value.is != node::kind::scalar) return wrong_type(row, value);
  if (auto wrong = check_text(row, value)) return wrong;
  into = value.text;
  return std::nullopt;
}

complaint set(const key& row, const node& value, int& into) {
  const auto number = value.is == node::kind::scalar ? parse_number(value.text) : std::nullopt;
  if (!number) return wrong_type(row, value);
  if (!within(row.range, *number, parse_number)) return out_of_range(row, value, between(row.range));
  into = *number;
  return std::nullopt;
}

complaint set(const key& row, const node& value, bool& into) {
  if (value.is != node::kind::scalar || (value.text != "true" && value.text != "false"))
    return wrong_type(row, value);
  into = value.text == "true";
  return std::nullopt;
}

complaint set(const key& row, const node& value, duration& into) {
  const auto time = value.is == node::kind::scalar ? parse_duration(value.text) : std::nullopt;
  if (!time) {
    auto wrong = wrong_type(row, value);
    wrong->remedy = "Write it as 90s, 5m or 1h";
    return wrong;
  }
  if (!within(row.range, *time, parse_duration)) return out_of_range(row, value, between(row.range));
  into = *time;
  return std::nullopt;
}

complaint set(const key& row, const node& value, std::optional<difyd::version>& into) {
  if (value.is != node::kind::scalar) return wrong_type(row, value);
  auto parsed = parse_version(value.text);
  if (!parsed) return out_of_range(row, value, "a version", parsed.error().remedy);
  into = *parsed;
  return std::nullopt;
}

complaint set(const key& row, const node& value, std::optional<text_list>& into) {
  if (value.is != node::kind::list) return wrong_type(row, value);
  text_list texts;
  for (const auto& each : value.items) {
    if (each.is != node::kind::scalar) return wrong_type(row, each);
    texts.push_back(each.text);
  }
  into = std::move(texts);
  return std::nullopt;
}

complaint set_hashes(const key& row, const node& value, text_map& into) {
  for (const auto& each : value.items) {
    const std::string name = std::string(row.path) + "." + each.key;
    const auto which = parse_version(each.key);
    if (!which) return mistake{each.key_at, "config-out-of-range", name + ": this is no version", {}};
    if (each.is != node::kind::scalar || !is_sha256(each.text))
      return mistake{each.at, "config-out-of-range", name + " must be 64 hexadecimal digits",
                     "sha256sum prints them"};
    into[which->text()] = to_lower(each.text);
  }
  return std::nullopt;
}

complaint set(const key& row, const node& value, text_map& into) {
  if (value.is != node::kind::map) return wrong_type(row, value);
  if (row.wants == form::hash_of_version) return set_hashes(row, value, into);
  for (const auto& each : value.items) {
    const std::string& name = each.key;
    if (!is_environment_key(name))
      return mistake{
          each.key_at,
          "config-out-of-range",
          "\"" + name + "\" below " + std::string(row.path) + " is no name of an environment variable",
          {}};
    if (each.is != node::kind::scalar && each.is != node::kind::null)
      return mistake{each.at, "config-wrong-type", std::string(row.path) + "." + name + " wants a text", {}};
    if (each.text.find('\0') != std::string::npos)
      return mistake{
          each.at, "config-out-of-range", std::string(row.path) + "." + name + " holds a NUL byte", {}};
    into[name] = each.is == node::kind::null ? "" : each.text;
  }
  return std::nullopt;
}

std::optional<long long> unit_factor(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  return std::nullopt;
}

}  // namespace

std::optional<mistake> assign(const key& row, const node& value, settings& into) {
  if (row.wants == form::refused)
    return mistake{value.key_at, "config-out-of-range", std::string(row.path) + " must not be given here",
                   "A secret does not belong into this file: " + std::string(row.range) +
                       std::string(row.path) + "_file, or as a systemd credential by " +
                       std::string(row.path) + "_credential"};
  if (value.is == node::kind::null) return std::nullopt;
  return std::visit([&](auto get) { return set(row, value, get(into)); }, row.where);
}

void assign_fallback(const key& row, settings& into) {
  if (row.wants == form::refused || row.fallback.empty()) return;
  node value;
  value.is = node::kind::scalar;
  value.text = row.fallback;
  assign(row, value, into);
}

std::optional<duration> parse_duration(std::string_view text) {
  if (text == "0") return duration(0);
  if (text.empty()) return std::nullopt;
  constexpr long long longest = 100LL * 365 * 24 * 3'600'000;
  long long total = 0;
  while (!text.empty()) {
    long long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const std::size_t length = std::min(text.find_first_of("0123456789"), text.size());
    const auto factor = unit_factor(text.substr(0, length));
    if (!factor || number > longest / *factor) return std::nullopt;
    total += number * *factor;
    if (total > longest) return std::nullopt;
    text.remove_prefix(length);
  }
  return duration(total);
}

std::string duration_text(duration time) {
  const long long count = time.count();
  if (count == 0) return "0s";
  if (count % 3'600'000 == 0) return std::to_string(count / 3'600'000) + "h";
  if (count % 60'000 == 0) return std::to_string(count / 60'000) + "m";
  if (count % 1000 == 0) return std::to_string(count / 1000) + "s";
  return std::to_string(count) + "ms";
}

}  // namespace difyd::config
