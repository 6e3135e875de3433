// Files that survive a power cut, whole or not at all.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "difyd/base/error.hpp"

namespace difyd {

// Replaces `path`: temporary file in the same folder, fsync, rename, fsync of the folder.
// Blocks; not for paths on a share (host::share does those through the helper).
Result<> write_durably(const std::string& path, std::string_view bytes, mode_t mode);

// Replaces `path` whole or not at all, but not durably: for a tmpfs, and for what need not
// survive a power cut.
Result<> replace_file(const std::string& path, std::string_view bytes, mode_t mode);

// A whole file, at most `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit = 64u << 20);

}  // namespace difyd
