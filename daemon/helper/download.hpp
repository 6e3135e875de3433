// The archive of a release, downloaded to <folder>/<name>: whole, checked and durable, or not at all. What
// has come of it so far stays in <folder>/.<name>.part, with .<name>.part.json beside it, which says of what.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "transfer.hpp"

namespace difyd::helper {

struct download {
  std::string folder;
  std::string name;
  std::string url;
  std::string sha256;        // empty: not known
  std::string checksum_url;  // asked where sha256 is not known; empty: nowhere
  transfer_options transfer;
  std::uint64_t largest = 512u << 20;  // bytes
};

// Of the whole file; `total` is 0 where it is not known.
using progress_handler = std::function<void(std::uint64_t bytes, std::uint64_t total)>;

// Blocks until the end; whoever calls has the deadline and may end the process at any time. A second call
// for the same file waits for the first one. Errors: "release-unknown" (404, 410), "release-fetch",
// "release-checksum", "release-archive" (what came is no archive of a release), "disk-full", "file-io".
Result<> run(const download& what, const progress_handler& seen);

// The hash of `name` in a file in sha256sum's form, or of its only line; empty: not there. Pure.
std::string hash_in(std::string_view sums, std::string_view name);

// Whether the body of this 206 goes on at `offset`. Pure.
bool goes_on_at(const answer& head, std::uint64_t offset);

}  // namespace difyd::helper
