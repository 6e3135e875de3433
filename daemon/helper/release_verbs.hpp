// The verbs of difyd-helper for archives of releases. host/releases.hpp is who calls them.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::helper {

bool is_release_verb(const std::vector<std::string>& words);

// The answer for standard output.
//   unpack ARCHIVE SHA256   the files below <top>/docker, packed as tree.hpp says; "-": no hash is known
//   fetch                   what standard input says, as JSON; before the answer one line per progress:
//                           {"bytes": 1, "total": 2}. Nothing of it is in the arguments: others see those.
Result<std::string> run_release_verb(const std::vector<std::string>& words);

}  // namespace difyd::helper
