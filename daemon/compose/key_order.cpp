#include "key_order.hpp"

#include <algorithm>
#include <cstdint>

namespace difyd::compose {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Beyond ASCII everything is taken for a letter.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

struct run {
  std::uint64_t number;
  std::size_t end;
};

run digits_from(std::string_view t, std::size_t i, bool inside_number) {
  run r{inside_number ? std::uint64_t{1} : 0, i};
  for (; r.end < t.size() && is_digit(t[r.end]); ++r.end)
    r.number = r.number * 10 + static_cast<std::uint64_t>(t[r.end] - '0');
  return r;
}

// Whether a digit other than 0 comes right before t[i]: then a leading 0 is part of a number.
bool inside_number(std::string_view t, std::size_t i) {
  while (i > 0 && is_digit(t[i - 1]))
    if (t[--i] != '0') return true;
  return false;
}

}  // namespace

bool key_before(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::ranges::mismatch(a, b);
  if (at_a == a.end() || at_b == b.end()) return a.size() < b.size();
  const auto i = static_cast<std::size_t>(at_a - a.begin());
  const char x = *at_a;
  const char y = *at_b;
  if (is_letter(x) && is_letter(y)) return static_cast<unsigned char>(x) < static_cast<unsigned char>(y);
  if (is_letter(x) || is_letter(y)) return i > 0 && is_digit(a[i - 1]) ? is_letter(x) : is_letter(y);
  const bool inside = (x == '0' || y == '0') && inside_number(a, i);
  const run ra = digits_from(a, i, inside);
  const run rb = digits_from(b, i, inside);
  if (ra.number != rb.number) return ra.number < rb.number;
  if (ra.end != rb.end) return ra.end < rb.end;
  return x < y;
}

}  // namespace difyd::compose
