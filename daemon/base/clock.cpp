#include "difyd/base/clock.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

namespace difyd {
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

// "Z", or how far the clock is from UTC: "+09:00".
bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text == "Z") return true;
  const int sign = text.starts_with('+') ? 1 : text.starts_with('-') ? -1 : 0;
  int h = 0, m = 0;
  if (sign == 0) return false;
  text.remove_prefix(1);
  if (!take(text, 2, ':', h) || !take(text, 2, '\0', m) || !text.empty() || h > 23 || m > 59) return false;
  minutes = sign * (h * 60 + m);
  return true;
}

}  // namespace

std::string to_rfc3339(wall_time time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(since / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(since % 1000));
  return buffer;
}

std::optional<wall_time> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0, ahead = 0;
  const bool read = take(text, 4, '-', y) && take(text, 2, '-', mo) && take(text, 2, 'T', d) &&
                    take(text, 2, ':', h) && take(text, 2, ':', mi) && take(text, 2, '\0', s) &&
                    take_fraction(text, ms) && take_offset(text, ahead);
  const year_month_day day{year(y), month(static_cast<unsigned>(mo)),
                           std::chrono::day(static_cast<unsigned>(d))};
  // Nanoseconds since 1970 end in 2262.
  if (!read || y < 1970 || y > 2261 || !day.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  return wall_time(sys_days(day) + hours(h) + minutes(mi - ahead) + seconds(s) + milliseconds(ms));
}

std::chrono::milliseconds boot_time() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::milliseconds(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

std::string boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id");
  return text ? std::string(trim(*text)) : std::string();
}

}  // namespace difyd
