// The ledger as JSON. Pure.
#pragma once

#include <string>
#include <string_view>

#include "difyd/base/error.hpp"
#include "difyd/ledger/record.hpp"

namespace difyd::ledger {

// Readers refuse a newer format and read every older one.
// 2: in_flight.baseline. 3: restoring. 4: owed.
inline constexpr int format_number = 4;

std::string to_json(const record& book);

// Errors: "ledger-newer" (written by a newer difyd), "ledger-corrupt". `place` names the file.
Result<record> parse(std::string_view text, const std::string& place);

}  // namespace difyd::ledger
