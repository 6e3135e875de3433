// Values as the dotenv grammar of docker compose reads them back (REFERENCE 1.4).
#include <algorithm>

#include "difyd/release/environment.hpp"

namespace difyd::release {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_./:,+@%=~^*()?&;!|<>{}[]-").find(c) != std::string_view::npos;
}

// Unquoted text is cut at " #", trimmed and interpolated: only what none of that touches.
bool needs_no_quotes(std::string_view value) {
  const bool spaces_inside = value.empty() || (value.front() != ' ' && value.back() != ' ');
  return spaces_inside && std::ranges::all_of(value, [](char c) { return plain(c) || c == ' '; });
}

// Between single quotes everything stands for itself but \', so a backslash must not meet a
// quote; a carriage return before a newline is dropped from the file everywhere.
bool fits_single_quotes(std::string_view value) {
  return value.find("\\'") == std::string_view::npos && !value.ends_with('\\') &&
         value.find("\\\\'") == std::string_view::npos && value.find('\r') == std::string_view::npos;
}

std::string single_quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return out + "'";
}

std::string double_quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"' || c == '$') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

std::string assignment(std::string_view key, std::string_view value) {
  std::string line(key);
  line += '=';
  if (needs_no_quotes(value)) return line.append(value);
  return line + (fits_single_quotes(value) ? single_quoted(value) : double_quoted(value));
}

}  // namespace difyd::release
