// What difyd-helper does about mounts.
#pragma once

#include <string>
#include <vector>

#include "beneath.hpp"

namespace difyd::host {

//   second-mount FSTYPE SOURCE OPTIONS FOLDER UID
// Does there what `probe` does at the first mount, so that both are asked the same. In a mount namespace of
// its own, which ends with this process, killed or not, and takes the mount along.
Result<std::string> second_mount_verb(const std::vector<std::string>& arguments, uid_t uid);

//   look-at PATH
// Whether the file system there answers. PATH is absolute, and may lead into a container (/proc/PID/root/…).
Result<std::string> look_at_verb(const std::vector<std::string>& arguments);

// Options for a mount that only asks whether the server answers: read-write, never waiting long, sharing no
// cache; of the first mount's options those that say how the server is reached. Pure.
std::string second_mount_options(const std::string& fstype, const std::string& options);

// The first few names in the folder that a mount at `path` hides. Empty where nothing is mounted there, where
// it cannot be seen (not root), and for lost+found.
std::vector<std::string> names_beneath(const std::string& path, const file_handle& root);

}  // namespace difyd::host
