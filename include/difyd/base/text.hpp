// Small text helpers used all over the house.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace difyd {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);

// Percent-encodes everything but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);

// "1.2 GiB"
std::string bytes_text(std::uint64_t bytes);

// The candidate closest to `word` if it is close enough to suggest, else empty.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

// `length` hexadecimal characters from the kernel's random source.
std::string random_hex(std::size_t length);

}  // namespace difyd
