#include "serialize.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "difyd/base/text.hpp"

namespace difyd::http {
namespace {

bool is_visible(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c != '\x7f'; });
}

bool is_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

bool is_field(const headers::field& each) {
  return is_visible(each.first) && each.first.find(':') == std::string::npos && is_value(each.second);
}

void append(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

std::string date_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char buffer[40];
  const std::size_t size = std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {buffer, size};
}

// What the server decides itself, whatever a handler says.
bool is_framing(const std::string& name) {
  const std::string lower = to_lower(name);
  return lower == "connection" || lower == "content-length" || lower == "transfer-encoding";
}

bool takes_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

Result<std::string> head_text(const request& what, const std::string& host) {
  if (!is_visible(what.method) || !is_visible(what.target) || !std::ranges::all_of(what.headers, is_field))
    return fail("request-invalid",
                "cannot send a request: its target or a header contains a line break or space");
  std::string text = what.method + " " + what.target + " HTTP/1.1\r\n";
  if (!what.headers.has("Host")) append(text, "Host", host);
  if (!what.headers.has("User-Agent")) append(text, "User-Agent", "difyd/" DIFYD_VERSION);
  if (!what.headers.has("Content-Length") && (!what.body.empty() || takes_body(what.method)))
    append(text, "Content-Length", std::to_string(what.body.size()));
  for (const auto& [name, value] : what.headers) append(text, name, value);
  return text + "\r\n";
}

framing framing_of(const response& what, std::string_view method, int version) {
  if (what.status < 200 || what.status == 204 || what.status == 304) return framing::none;
  if (!what.next) return framing::length;
  if (version < 11) return framing::until_close;
  return method == "HEAD" ? framing::none : framing::chunked;
}

std::string head_text(const response& what, framing body, bool keep_alive) {
  std::string text = "HTTP/1.1 " + std::to_string(what.status) + " ";
  text.append(reason(what.status)).append("\r\n");
  if (!what.headers.has("Date")) append(text, "Date", date_text());
  if (body == framing::length) append(text, "Content-Length", std::to_string(what.body.size()));
  if (body == framing::chunked) append(text, "Transfer-Encoding", "chunked");
  append(text, "Connection", keep_alive && body != framing::until_close ? "keep-alive" : "close");
  for (const auto& each : what.headers)
    if (is_field(each) && !is_framing(each.first)) append(text, each.first, each.second);
  return text + "\r\n";
}

std::string chunk(std::string_view bytes) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return std::string(size).append(bytes).append("\r\n");
}

}  // namespace difyd::http
