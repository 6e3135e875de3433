// A folder's files as one stream of bytes, between difyd, its helper and what is kept. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd {

struct tree_file {
  std::string path;  // relative: "nginx/nginx.conf.template"
  unsigned mode = 0;
  std::string bytes;

  friend bool operator==(const tree_file&, const tree_file&) = default;
};

inline constexpr std::size_t largest_tree = 32u << 20;  // bytes, packed

// Errors: "bad-path" (absolute, "..", a line break), "file-too-large".
Result<std::string> pack(const std::vector<tree_file>& files);
// Errors: "bad-path", "share-io" (cut off, or no such stream).
Result<std::vector<tree_file>> unpack(std::string_view bytes);

}  // namespace difyd
