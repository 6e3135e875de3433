// The configuration of a start: as it is, or, where that is not valid, as it was when it last was.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/config/settings.hpp"

namespace difyd::supervisor {

// The files that it was read from, the secrets' included, with a hash of what each held; unset: it could not
// be read.
using configuration_files = std::map<std::string, std::optional<std::size_t>>;

struct configured {
  config::settings settings;
  std::optional<Error> invalid;  // why the last good one is used
  configuration_files files;     // of the file that was named, valid or not
};

// Reads the file. Where it is valid, a copy of it is kept as <state_dir>/last-good.yaml (0600). Where it is
// not, that copy is used, without the secrets whose files are gone; where there is none either, or it is not
// valid by now, the error is that of the file.
Result<configured> read_configuration(const std::string& path);

// Those that do not hold any more what they held then. Reads them.
std::vector<std::string> changed_since(const configuration_files& read);

// What the text says about state_dir, even where the rest of it makes no sense; "" where nothing. Pure.
std::string state_dir_in(const std::string& text);

}  // namespace difyd::supervisor
