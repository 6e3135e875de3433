// The configuration of a start: as it is, or, where that is not valid, as it was when it last was.
#pragma once

#include <optional>
#include <string>

#include "difyd/base/error.hpp"
#include "difyd/config/settings.hpp"

namespace difyd::supervisor {

struct configured {
  config::settings settings;
  std::optional<Error> invalid;  // why the last good one is used
};

// Reads the file. Where it is valid, a copy of it is kept as <state_dir>/last-good.yaml (0600). Where it is
// not, that copy is used; where there is none either, or it is not valid by now (a secret's file is gone),
// the error is that of the file.
Result<configured> read_configuration(const std::string& path);

// What the text says about state_dir, even where the rest of it makes no sense; "" where nothing. Pure.
std::string state_dir_in(const std::string& text);

}  // namespace difyd::supervisor
