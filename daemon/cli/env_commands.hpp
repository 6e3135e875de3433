// `difyd env`: the environment of releases, without the daemon.
#pragma once

#include "context.hpp"

namespace difyd::cli {

int show_env_diff(const options& given, const std::string& from, const std::string& to);

}  // namespace difyd::cli
