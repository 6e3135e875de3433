// What is mounted where, from /proc/self/mountinfo: the one question about a mount that
// never blocks, however dead the server behind it is (platform facts 4.3, 4.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::host {

// One line of proc(5) mountinfo, octal escapes resolved.
struct mount {
  int id = 0;
  int parent = 0;
  std::string device;         // "0:36"
  std::string root;           // the folder of the source file system that is mounted; "/" for all of it
  std::string point;          // where it is mounted
  std::string options;        // per mount: "rw,relatime"
  std::string fstype;         // "nfs4"
  std::string source;         // "10.0.0.2:/share"
  std::string super_options;  // per file system: "rw,vers=4.1,…"

  bool has_option(std::string_view name) const;  // in either list
  bool read_only() const;                        // "ro" in either list
};

// Lines that are not mountinfo are skipped: a newer kernel may add what we do not know.
std::vector<mount> parse_mountinfo(std::string_view text);

// The mount on top at exactly `path` (the last line for it), nullptr where there is none.
const mount* find_mount(const std::vector<mount>& mounts, std::string_view path);

// The mount that a path lies in: the longest mount point that is a parent of it, the last of equals.
const mount* mount_holding(const std::vector<mount>& mounts, std::string_view path);

// Errors: of read_file.
Result<std::vector<mount>> read_mounts(const std::string& table = "/proc/self/mountinfo");

}  // namespace difyd::host
