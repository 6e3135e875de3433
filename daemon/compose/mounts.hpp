// The short form of a mount: [source:]target[:options] (REFERENCE 1.13).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

node long_mount(workspace& w, const node& n);                         // n is a string
std::string mount_target(workspace& w, const node& n);                // n is a string
std::string clean_path(std::string_view path);                        // Go's path.Clean
std::string join_path(std::string_view base, std::string_view path);  // base/path, cleaned

}  // namespace difyd::compose
