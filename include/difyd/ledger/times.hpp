// RFC 3339 in UTC, as base and the engine write it, back to a time.
#pragma once

#include <optional>
#include <string_view>

#include "difyd/base/clock.hpp"

namespace difyd::ledger {

// "2026-11-20T11:02:31Z", with a fraction of any length, of which three digits count.
std::optional<wall_time> parse_rfc3339(std::string_view text);

}  // namespace difyd::ledger
