// Archives of releases: tar with gzip, xz or zstd, and zip.
#pragma once

#include "release_tree.hpp"

namespace difyd::helper {

// The files below <top>/docker of an archive, sorted by path. `sha256`: of the archive, where it is known.
// Blocks. Errors: "file-missing", "release-archive", "release-checksum"; they name `path`.
Result<std::vector<tree_file>> read_archive(const std::string& path, const std::string& sha256,
                                            archive_limits limits = {});

// Error "release-checksum" unless `path` has that hash; without one everything is good. Blocks.
Result<> check_sha256(const std::string& path, const std::string& sha256);

}  // namespace difyd::helper
