// The verb of difyd-helper that makes a storage what a release needs: seeds, folders, owners.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::host {

//   lay-out ROOT                  (share_layout as JSON comes from standard input)
// Files get their names whole and durable (written elsewhere on the storage, fsync, link), so two machines
// that do it at once, and one that dies at any point, leave nothing half made. The lock only spares them
// doing it twice. Answers {"made": […]} or {"busy": "the owner of the lock"}.
Result<std::string> lay_out_verb(const std::vector<std::string>& arguments, std::string_view input);

//   own ROOT PATH UID GID
// Everything below PATH, links themselves included. Answers {"changed": n}.
Result<std::string> own_verb(const std::vector<std::string>& arguments);

}  // namespace difyd::host
