#include "scalar.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace difyd::compose {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// null, booleans, infinities: the words that are no strings.
std::optional<node> resolve_word(std::string_view t, place at) {
  if (t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL") return make(kind::null, at);
  if (t == "true" || t == "True" || t == "TRUE") return make_boolean(true, at);
  if (t == "false" || t == "False" || t == "FALSE") return make_boolean(false, at);
  return std::nullopt;
}

std::optional<double> special_float(std::string_view t) {
  if (t == ".nan" || t == ".NaN" || t == ".NAN") return std::numeric_limits<double>::quiet_NaN();
  const bool negative = t.starts_with('-');
  if (negative || t.starts_with('+')) t.remove_prefix(1);
  if (t != ".inf" && t != ".Inf" && t != ".INF") return std::nullopt;
  return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

struct whole_number {
  bool negative = false;
  std::uint64_t size = 0;
};

std::optional<whole_number> parse_integer(std::string_view t) {
  bool negative = false;
  if (t.starts_with('-') || t.starts_with('+')) {
    negative = t.front() == '-';
    t.remove_prefix(1);
  }
  int base = 10;
  if (t.size() > 1 && t[0] == '0') {
    const char mark = static_cast<char>(t[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    t.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), number, base);
  if (t.empty() || error != std::errc{} || end != t.data() + t.size()) return std::nullopt;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (negative && number > most + 1) return std::nullopt;
  return whole_number{negative, number};
}

// Go has a type for whole numbers beyond 63 bits; here they are reals with the text of a whole number.
node integer_node(workspace& w, const whole_number& n, place at) {
  const std::string text = (n.negative && n.size ? "-" : "") + std::to_string(n.size);
  if (n.size <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    const auto size = static_cast<std::int64_t>(n.size);
    return make_integer(n.negative ? -size : size, w.keep(text), at);
  }
  node real = make(kind::real, at);
  real.real = (n.negative ? -1.0 : 1.0) * static_cast<double>(n.size);
  real.text = w.keep(text);
  return real;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view t) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < t.size() && is_digit(t[i])) ++i;
    return i - from;
  };
  if (i < t.size() && (t[i] == '-' || t[i] == '+')) ++i;
  if (i < t.size() && t[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  } else {
    if (digits() == 0) return false;
    if (i < t.size() && t[i] == '.') {
      ++i;
      digits();
    }
  }
  if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
    ++i;
    if (i < t.size() && (t[i] == '-' || t[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == t.size();
}

std::optional<double> parse_float(std::string_view t) {
  if (!looks_like_float(t)) return std::nullopt;
  if (t.starts_with('+')) t.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), number);
  if (error != std::errc{} || end != t.data() + t.size()) return std::nullopt;
  return number;
}

struct clock_parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

bool is_date(const clock_parts& p) {
  static constexpr std::array days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (p.month < 1 || p.month > 12 || p.day < 1) return false;
  const bool leap = (p.year % 4 == 0 && p.year % 100 != 0) || p.year % 400 == 0;
  const int last = days[static_cast<std::size_t>(p.month - 1)] + (leap && p.month == 2 ? 1 : 0);
  return p.day <= last && p.hour < 24 && p.minute < 60 && p.second < 60;
}

// A date or a date with a time becomes a time value; printed as Go's time.Time.
std::optional<std::string> parse_time(const std::string& t) {
  if (t.size() < 8 || !is_digit(t[0]) || !is_digit(t[1]) || !is_digit(t[2]) || !is_digit(t[3]) || t[4] != '-')
    return std::nullopt;
  clock_parts p;
  int used = 0;
  std::string zone = "+0000 UTC";
  std::string fraction;
  if (std::sscanf(t.c_str(), "%4d-%2d-%2d%n", &p.year, &p.month, &p.day, &used) != 3) return std::nullopt;
  std::string_view rest = std::string_view(t).substr(static_cast<std::size_t>(used));
  if (!rest.empty()) {
    const char mark = rest.front();
    if (mark != 'T' && mark != 't' && mark != ' ') return std::nullopt;
    if (std::sscanf(rest.data() + 1, "%2d:%2d:%2d%n", &p.hour, &p.minute, &p.second, &used) != 3)
      return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(used) + 1);
    if (rest.starts_with('.')) {
      std::size_t n = 1;
      while (n < rest.size() && is_digit(rest[n])) ++n;
      fraction = rest.substr(0, n);
      while (fraction.ends_with('0')) fraction.pop_back();
      if (fraction == ".") fraction.clear();
      rest.remove_prefix(n);
    }
    if (mark == ' ' ? !rest.empty() : rest.empty()) return std::nullopt;
    if (mark != ' ' && rest != "Z") {
      if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':') return std::nullopt;
      const std::string offset = std::string(rest.substr(0, 3)) + std::string(rest.substr(4));
      zone = offset == "+0000" ? zone : offset + " " + offset;
    }
  }
  if (!is_date(p)) return std::nullopt;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d", p.year, p.month, p.day, p.hour,
                p.minute, p.second);
  return std::string(text.data()) + fraction + " " + zone;
}

node resolve_number(workspace& w, std::string_view text, place at) {
  if (auto date = parse_time(std::string(text))) {
    node n = make(kind::time, at);
    n.text = w.keep(*date);
    return n;
  }
  std::string plain;
  for (const char c : text)
    if (c != '_') plain.push_back(c);
  if (auto number = parse_integer(plain)) return integer_node(w, *number, at);
  if (auto number = parse_float(plain)) {
    node n = make(kind::real, at);
    n.real = *number;
    n.text = w.keep(go_float(*number));
    return n;
  }
  return make_text(text, at);
}

}  // namespace

std::string go_float(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific).ptr;
  const std::string scientific(text.data(), end);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (number == 0 || (exponent >= -4 && exponent < 6)) {  // the limit of Go's shortest %g
    const auto fixed =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed).ptr;
    return {text.data(), fixed};
  }
  return scientific;
}

node resolve_scalar(workspace& w, std::string_view text, place at) {
  if (auto word = resolve_word(text, at)) return *word;
  const char first = text.front();
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return make_text(text, at);
  if (auto number = special_float(text)) {
    node n = make(kind::real, at);
    n.real = *number;
    n.text = w.keep(go_float(*number));
    return n;
  }
  return resolve_number(w, text, at);
}

}  // namespace difyd::compose
