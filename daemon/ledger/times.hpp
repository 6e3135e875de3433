// RFC 3339 in UTC, as base writes it, back to a time.
#pragma once

#include <optional>
#include <string_view>

#include "difyd/base/clock.hpp"

namespace difyd::ledger {

// "2026-11-20T11:02:31.123Z" and the same without a fraction.
std::optional<wall_time> parse_rfc3339(std::string_view text);

}  // namespace difyd::ledger
