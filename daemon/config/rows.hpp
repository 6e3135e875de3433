// What the rows of the table are written with, and its second half; private to config.
#pragma once

#include <span>

#include "difyd/config/table.hpp"

namespace difyd::config {

using text = std::string& (*)(settings&);
using number = int& (*)(settings&);
using boolean = bool& (*)(settings&);
using time = duration& (*)(settings&);
using version_slot = std::optional<difyd::version>& (*)(settings&);
using list = std::optional<text_list>& (*)(settings&);
using map = text_map& (*)(settings&);

inline constexpr std::string_view inline_secret = "put it into a file of mode 0600 and name that as ";

// upgrade, rehearsal, health, maintenance, log.
std::span<const key> running_rows();

}  // namespace difyd::config
