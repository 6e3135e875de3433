// The settings in force, defaults included, for people and programs. Secrets are not shown:
// the files that hold them are named, and overrides that look like secrets read "(secret)".
#pragma once

#include <string>

#include "difyd/config/settings.hpp"

namespace difyd::config {

std::string to_yaml(const settings& values);
std::string to_json(const settings& values);  // indented by two, newline at the end

// The shortest file that gives these settings: only what is not the default, overrides as they are.
std::string to_file(const settings& values);

}  // namespace difyd::config
