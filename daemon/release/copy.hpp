// Files of a bundle: their hash, copying them. Blocking.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::release {

// Relative paths of all entries, sorted, so that a hash does not depend on the file system.
Result<std::vector<std::string>> entries_of(const std::string& folder);

// sha256 over names and contents of the regular files below `folder`, .env excepted.
Result<std::string> hash_of(const std::string& folder);

// Everything but volumes/ and .env, into a folder that does not exist yet.
Result<> copy_bundle(const std::string& from, const std::string& to);

}  // namespace difyd::release
