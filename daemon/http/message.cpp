#include "difyd/http/message.hpp"

#include <algorithm>
#include <array>

namespace difyd::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

const std::string* headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (same_name(key, name)) return &value;
  return nullptr;
}

std::string_view headers::get(std::string_view name) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : std::string_view();
}

void headers::set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const field& each) { return same_name(each.first, name); });
  fields_.emplace_back(name, std::move(value));
}

std::string_view request::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::optional<std::string> request::query(std::string_view key) const {
  const auto start = target.find('?');
  std::string_view rest =
      start == std::string::npos ? std::string_view() : std::string_view(target).substr(start + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (percent_decode(pair.substr(0, equals)) != std::string(key)) continue;
    return equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return std::nullopt;
    result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return result;
}

std::string_view reason(int status) {
  using phrase = std::pair<int, std::string_view>;
  static constexpr std::array phrases{
      phrase{100, "Continue"},
      phrase{101, "Switching Protocols"},
      phrase{200, "OK"},
      phrase{201, "Created"},
      phrase{202, "Accepted"},
      phrase{204, "No Content"},
      phrase{301, "Moved Permanently"},
      phrase{302, "Found"},
      phrase{303, "See Other"},
      phrase{304, "Not Modified"},
      phrase{400, "Bad Request"},
      phrase{401, "Unauthorized"},
      phrase{403, "Forbidden"},
      phrase{404, "Not Found"},
      phrase{405, "Method Not Allowed"},
      phrase{408, "Request Timeout"},
      phrase{409, "Conflict"},
      phrase{410, "Gone"},
      phrase{413, "Content Too Large"},
      phrase{415, "Unsupported Media Type"},
      phrase{422, "Unprocessable Content"},
      phrase{429, "Too Many Requests"},
      phrase{431, "Request Header Fields Too Large"},
      phrase{500, "Internal Server Error"},
      phrase{501, "Not Implemented"},
      phrase{502, "Bad Gateway"},
      phrase{503, "Service Unavailable"},
      phrase{504, "Gateway Timeout"},
  };
  const auto* found = std::ranges::find(phrases, status, &phrase::first);
  return found == phrases.end() ? "Unknown" : found->second;
}

response text_response(int status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text), {}};
}

response json_response(int status, std::string json) {
  return {status, {{"Content-Type", "application/json"}}, std::move(json), {}};
}

}  // namespace difyd::http
