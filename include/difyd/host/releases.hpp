// Archives of releases, through difyd-helper, which alone links libcurl and libarchive and is killed at
// the deadline, or when the caller is cancelled.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/base/tree.hpp"

namespace difyd::host {

struct release_download {
  std::string folder;  // made where it is not there
  std::string name;    // of the archive in it
  std::string url;
  std::string sha256;        // empty: not known
  std::string checksum_url;  // asked where sha256 is not known; may be empty
  std::string proxy;         // empty: https_proxy, http_proxy, all_proxy and no_proxy of this process
  duration limit{};          // of it all; what has come by then is kept, and the next call goes on with it
};

// Sees at most one a second; `total` is 0 where it is not known.
using download_progress = std::function<void(std::uint64_t bytes, std::uint64_t total)>;

// <folder>/<name> is there afterwards, checked and durable. Errors: "release-unknown" (the server has no
// such file), "release-fetch", "release-checksum", "release-archive", "disk-full", "file-io",
// "helper-missing".
task<Result<>> fetch_release(release_download what, download_progress seen);

// The files below <top>/docker of an archive. Errors: "file-missing", "release-archive",
// "release-checksum", "helper-missing".
task<Result<std::vector<tree_file>>> read_release(std::string archive, std::string sha256);

}  // namespace difyd::host
