// The verbs of difyd-helper: what may hang or needs its own rights. Every path is taken
// below a root and cannot leave it, not even by a symbolic link that a container put there.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::host {

// The answer for standard output: JSON, for read-file the bytes themselves.
//   probe ROOT UID
//   read-file ROOT PATH LIMIT
//   write-file ROOT PATH MODE        (octal; the bytes come from standard input)
//   list ROOT PATH
//   mkdir-owned ROOT PATH UID GID MODE
//   remove-file ROOT PATH
//   write-tree ROOT PATH             (the files, packed as tree.hpp says, come from standard input)
//   read-tree ROOT PATH
//   remove-tree ROOT PATH
//   lay-out ROOT                     (what, as JSON, comes from standard input)
//   own ROOT PATH UID GID
//   second-mount FSTYPE SOURCE OPTIONS FOLDER UID
//   look-at PATH
//   resolve HOST
Result<std::string> run_verb(const std::vector<std::string>& words);

std::string error_json(const Error& error);
Error parse_error_json(const std::string& text, const Error& otherwise);

// Held until the process ends, its corpse in state D included. Error "share-hung" when
// another helper holds it for longer than two seconds; a lock that cannot be made is no error.
Result<> hold_lock(const std::string& path);

}  // namespace difyd::host
