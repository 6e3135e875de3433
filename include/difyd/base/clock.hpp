// Wall-clock times as text. Waiting uses steady_clock; wall time is for people and records.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace difyd {

using wall_time = std::chrono::system_clock::time_point;

// RFC 3339 in UTC with milliseconds: 2026-11-20T11:02:31.123Z
std::string to_rfc3339(wall_time time);

// "2026-11-20T11:02:31Z", "…31.123456789+09:00": of a fraction three digits count. nullopt: none, or a time
// before 1970 or after 2261.
std::optional<wall_time> parse_rfc3339(std::string_view text);

// Seconds since the machine booted, time in suspend included (CLOCK_BOOTTIME).
std::chrono::milliseconds boot_time();

// /proc/sys/kernel/random/boot_id, empty where it cannot be read.
std::string boot_id();

}  // namespace difyd
