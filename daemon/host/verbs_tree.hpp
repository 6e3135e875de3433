// The verbs of difyd-helper for whole folders.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::host {

Result<std::string> write_tree_verb(const std::vector<std::string>& arguments, std::string_view input);
Result<std::string> read_tree_verb(const std::vector<std::string>& arguments);
Result<std::string> remove_tree_verb(const std::vector<std::string>& arguments);

}  // namespace difyd::host
