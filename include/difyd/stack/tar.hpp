// Archives of what is in memory, in the ustar format.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "difyd/stack/create.hpp"

namespace difyd::stack {

// `time`: of the files' last change, in seconds since 1970. Error "unsupported": a path that is empty or too
// long.
Result<std::string> tar_of(const std::vector<inline_file>& files, std::int64_t time);

}  // namespace difyd::stack
