// Durations, byte sizes and command lines as compose writes them (REFERENCE 1.13). Pure.
#pragma once

#include <difyd/compose/parts.hpp>
#include <optional>
#include <string_view>

namespace difyd::compose {

// Go's syntax ("1m30s", "1.5h"), days and weeks too ("2d", "1w"); nullopt = not a duration.
std::optional<duration> parse_duration(std::string_view text);
// Go's String(): 1m30s, 1h0m0s, 1.5s, 100ms, 0s
std::string print_duration(duration d);

// "64m", "1.5 GiB", "1024", "-1"; nullopt = not a size.
std::optional<byte_count> parse_bytes(std::string_view text);

// Splits like a shell, without one: quotes and backslashes, `...` and $(...) as they are, ends at an unquoted
// ; & | < >. nullopt = an open quote or a parenthesis of another kind.
std::optional<text_list> split_command(std::string_view line);

}  // namespace difyd::compose
