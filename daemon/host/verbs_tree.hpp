// The verbs of difyd-helper for whole folders.
#pragma once

#include <string>
#include <vector>

#include "beneath.hpp"
#include "difyd/base/error.hpp"

namespace difyd::host {

Result<std::string> write_tree_verb(const std::vector<std::string>& arguments, std::string_view input);
Result<std::string> read_tree_verb(const std::vector<std::string>& arguments);
Result<std::string> remove_tree_verb(const std::vector<std::string>& arguments);

// A folder below the root with all that is in it, durably; one that is not there is no error.
Result<> remove_folder(const file_handle& root, const std::string& path);

}  // namespace difyd::host
