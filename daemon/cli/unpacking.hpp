// A release that is there as an archive only.
#pragma once

#include <string>

#include "difyd/base/error.hpp"
#include "difyd/model/version.hpp"

namespace difyd::cli {

// Lays it out as dify-<version> below `source`; nothing where that is there already, or no archive is.
// Errors: of host::read_release and release::lay_out_checked.
Result<> unpack_release(const std::string& source, const version& which);

}  // namespace difyd::cli
