// What proves that a storage takes writes.
#pragma once

#include <sys/types.h>

#include <string>

#include "beneath.hpp"

namespace difyd::host {

// Writes, makes durable, renames, reads back and removes a small file as `uid`, in the folder .difyd/probe of
// the open root: two probes of one machine that may meet have a `name` each. `storage` names it in errors. As
// root that folder is given to the uid, and this process has given up its rights afterwards.
Result<> try_writing(const file_handle& root, const std::string& storage, const std::string& name, uid_t uid);

}  // namespace difyd::host
