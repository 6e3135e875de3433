// The operator's own files, laid over the docker folder of every release: TLS files, edited templates.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/tree.hpp"

namespace difyd::release {

using overlay = std::vector<tree_file>;  // paths below the docker folder, sorted

// The files below releases.overlay; a link to a file is that file. "" is no overlay. Blocks. Errors:
// "overlay-missing", "overlay-refused" (what an overlay may not hold), "file-io".
Result<overlay> read_overlay(const std::string& folder);

// Why an overlay may not replace this path, and what to do instead. Pure.
Result<> check_overlay_path(const std::string& path);

// A file over a folder of the docker folder `published`, or below a file of it. Blocks. Error
// "overlay-refused".
Result<> check_overlay_fits(const overlay& files, const std::string& published);

// "" of none. Pure.
std::string hash_of(const overlay& files);

// A file of the overlay whose published original the hop changes.
struct overlay_change {
  std::string path;
  std::string change;  // changed, removed, or added: there is one now

  friend bool operator==(const overlay_change&, const overlay_change&) = default;
};

// `before`, `after`: docker folders of two bundles. Blocks.
Result<std::vector<overlay_change>> changed_originals(const overlay& files, const std::string& before,
                                                      const std::string& after);

}  // namespace difyd::release
