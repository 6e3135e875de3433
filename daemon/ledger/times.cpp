#include "difyd/ledger/times.hpp"

#include <charconv>

namespace difyd::ledger {
namespace {

// Exactly `digits` digits, then the separator where one is wanted.
bool take(std::string_view& text, int digits, char separator, int& value) {
  const auto count = static_cast<std::size_t>(digits);
  if (text.size() < count) return false;
  for (const char c : text.substr(0, count))
    if (c < '0' || c > '9') return false;
  std::from_chars(text.data(), text.data() + count, value);
  text.remove_prefix(count);
  if (separator == '\0') return true;
  if (!text.starts_with(separator)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int& milliseconds) {
  milliseconds = 0;
  if (!text.starts_with('.')) return true;
  text.remove_prefix(1);
  int weight = 100;
  const bool some = !text.empty() && text.front() >= '0' && text.front() <= '9';
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1), weight /= 10)
    milliseconds += (text.front() - '0') * weight;
  return some;
}

}  // namespace

std::optional<wall_time> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0;
  const bool read = take(text, 4, '-', y) && take(text, 2, '-', mo) && take(text, 2, 'T', d) &&
                    take(text, 2, ':', h) && take(text, 2, ':', mi) && take(text, 2, '\0', s) &&
                    take_fraction(text, ms) && text == "Z";
  const year_month_day day{year(y), month(static_cast<unsigned>(mo)),
                           std::chrono::day(static_cast<unsigned>(d))};
  // Nanoseconds since 1970 end in 2262.
  if (!read || y < 1970 || y > 2261 || !day.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  return wall_time(sys_days(day) + hours(h) + minutes(mi) + seconds(s) + milliseconds(ms));
}

}  // namespace difyd::ledger
