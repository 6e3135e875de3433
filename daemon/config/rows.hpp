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

// upgrade, health, maintenance, log.
std::span<const key> running_rows();

}  // namespace difyd::config
