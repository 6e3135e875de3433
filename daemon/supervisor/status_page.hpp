// The page that a browser gets at /status. Pure.
#pragma once

#include <string>
#include <vector>

#include "difyd/control/wire.hpp"

namespace difyd::supervisor {

// A whole document without scripts. It has front::age_mark where the age of the verdict belongs, and asks
// for itself again every few seconds.
std::string status_page(const control::status& now, const std::vector<control::past_upgrade>& history);

// The status with "history", newest last.
std::string status_json(const control::status& now, const std::vector<control::past_upgrade>& history);

}  // namespace difyd::supervisor
