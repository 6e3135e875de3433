#include "difyd/model/version.hpp"

#include <charconv>

namespace difyd {
namespace {

bool take_number(std::string_view& text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool plain(std::string_view text) {
  for (const char c : text)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'))
      return false;
  return !text.empty();
}

}  // namespace

std::string version::text() const {
  std::string result = std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
  return pre_release.empty() ? result : result + '-' + pre_release;
}

std::strong_ordering operator<=>(const version& a, const version& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  if (a.pre_release.empty() != b.pre_release.empty())
    return a.pre_release.empty() ? std::strong_ordering::greater : std::strong_ordering::less;
  return a.pre_release <=> b.pre_release;
}

Result<version> parse_version(std::string_view text) {
  std::string_view rest = text;
  version result;
  const bool numbers = take_number(rest, result.major) && take(rest, '.') &&
                       take_number(rest, result.minor) && take(rest, '.') && take_number(rest, result.patch);
  bool good = numbers && rest.empty();
  if (numbers && take(rest, '-')) {
    result.pre_release = rest;
    good = plain(rest);
  }
  if (!good)
    return fail("bad-version", "cannot read version \"" + std::string(text) + "\"",
                "Give it as MAJOR.MINOR.PATCH, for example 1.11.4");
  return result;
}

}  // namespace difyd
