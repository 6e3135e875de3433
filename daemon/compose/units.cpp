#include "units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace difyd::compose {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct unit {
  std::string_view name;
  double nanoseconds;
};

constexpr std::array units{
    unit{"ns", 1},  unit{"us", 1e3}, unit{"\xC2\xB5s", 1e3}, unit{"\xCE\xBCs", 1e3}, unit{"ms", 1e6},
    unit{"s", 1e9}, unit{"m", 60e9}, unit{"h", 3600e9},      unit{"d", 86400e9},     unit{"w", 604800e9},
};

std::optional<double> take_number(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && (is_digit(text[n]) || text[n] == '.')) ++n;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + n, number, std::chars_format::fixed);
  if (n == 0 || error != std::errc{} || end != text.data() + n) return std::nullopt;
  text.remove_prefix(n);
  return number;
}

std::optional<double> take_unit(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && !is_digit(text[n]) && text[n] != '.') ++n;
  const std::string_view name = text.substr(0, n);
  text.remove_prefix(n);
  for (const auto& u : units)
    if (u.name == name) return u.nanoseconds;
  return std::nullopt;
}

// 1500000000 at scale 1e9 -> "1.5"
std::string fraction(std::uint64_t number, std::uint64_t scale) {
  std::string text = std::to_string(number / scale);
  std::string rest = std::to_string(scale + number % scale).substr(1);
  while (rest.ends_with('0')) rest.pop_back();
  return rest.empty() ? text : text + "." + rest;
}

}  // namespace

std::optional<duration> parse_duration(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return duration{0};
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto scale = number ? take_unit(text) : std::nullopt;
    if (!scale) return std::nullopt;
    sum += *number * *scale;
  }
  if (sum > static_cast<double>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  const auto ns = static_cast<std::int64_t>(std::llround(sum));
  return duration{negative ? -ns : ns};
}

std::string print_duration(duration d) {
  const auto ns = d.count();
  const std::string sign = ns < 0 ? "-" : "";
  const std::uint64_t n = ns < 0 ? ~static_cast<std::uint64_t>(ns) + 1 : static_cast<std::uint64_t>(ns);
  if (n == 0) return "0s";
  if (n < 1000) return sign + std::to_string(n) + "ns";
  if (n < 1'000'000) return sign + fraction(n, 1000) + "\xC2\xB5s";
  if (n < 1'000'000'000) return sign + fraction(n, 1'000'000) + "ms";
  const std::uint64_t minutes = n / 60'000'000'000;
  std::string text = fraction(n % 60'000'000'000, 1'000'000'000) + "s";
  if (minutes > 0) text = std::to_string(minutes % 60) + "m" + text;
  if (minutes >= 60) text = std::to_string(minutes / 60) + "h" + text;
  return sign + text;
}

std::optional<byte_count> parse_bytes(std::string_view text) {
  if (text == "-1") return -1;
  // The unit stands behind the last digit, dot or space; before it, any number that Go reads: 1e3 too.
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(0, text[last] == ' ' ? last : last + 1);
  text.remove_prefix(last + 1);
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || number < 0)
    return std::nullopt;
  double scale = 1;
  if (!text.empty()) {
    static constexpr std::string_view letters = "bkmgtp";
    const auto power = letters.find(static_cast<char>(text.front() | 0x20));
    if (power == std::string_view::npos) return std::nullopt;
    scale = std::pow(1024.0, static_cast<double>(power));
    text.remove_prefix(1);
    if (power > 0 && (text.starts_with('i') || text.starts_with('I'))) {
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
    }
    if (power > 0 && (text == "b" || text == "B")) text.remove_prefix(1);
    if (!text.empty()) return std::nullopt;
  }
  const double bytes = number * scale;
  if (bytes > 9e18) return std::nullopt;
  return static_cast<byte_count>(bytes);
}

namespace {

// What go-shellwords 1.0.12 makes of a command string, as docker compose uses it: quotes and backslashes;
// what stands in backticks or in $( ) stays together and is not run.
class splitter {
 public:
  std::optional<text_list> words(std::string_view line) {
    for (const char c : line) {
      const step next = take(c);
      if (next == step::wrong) return std::nullopt;
      if (next == step::end) break;
    }
    if (escaped_ || single_ || double_ || back_ || dollar_) return std::nullopt;
    if (started_) words_.push_back(std::move(word_));
    return std::move(words_);
  }

 private:
  enum class step { more, end, wrong };

  step take(char c) {
    if (escaped_ || (c == '\\' && single_)) {
      escaped_ = false;
      return add(c);
    }
    switch (c) {
      case '\\':
        escaped_ = true;
        return step::more;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        return single_ || double_ || back_ || dollar_ ? keep(c) : end_word();
      case '"':
        return single_ || dollar_ ? add(c) : turn(double_);
      case '\'':
        return double_ || dollar_ ? add(c) : turn(single_);
      case '`':
        if (!single_ && !double_ && !dollar_) back_ = !back_;
        return add(c);
      case '(':
        return single_ || double_ || back_ ? add(c) : open();
      case ')':
        if (!single_ && !double_ && !back_) dollar_ = !dollar_;
        return add(c);
      case ';':
      case '&':
      case '|':
      case '<':
      case '>':
        return single_ || double_ || back_ || dollar_ ? add(c) : leave(c);
      default:
        return add(c);
    }
  }

  step keep(char c) {
    word_.push_back(c);
    return step::more;
  }

  step add(char c) {
    started_ = true;
    return keep(c);
  }

  step end_word() {
    if (started_) words_.push_back(std::exchange(word_, {}));
    started_ = false;
    return step::more;
  }

  // Only a quote that is closed makes an empty word.
  step turn(bool& quote) {
    started_ = started_ || quote;
    quote = !quote;
    return step::more;
  }

  step open() {
    if (dollar_ || !word_.ends_with('$')) return step::wrong;
    dollar_ = true;
    return keep('(');
  }

  // Of 2>file, the 2 belongs to what is left out.
  step leave(char c) {
    if (c == '>' && !word_.empty() && is_digit(word_[0])) started_ = false;
    return step::end;
  }

  text_list words_;
  std::string word_;
  bool started_ = false, escaped_ = false, single_ = false, double_ = false, back_ = false, dollar_ = false;
};

}  // namespace

std::optional<text_list> split_command(std::string_view line) { return splitter().words(line); }

}  // namespace difyd::compose
