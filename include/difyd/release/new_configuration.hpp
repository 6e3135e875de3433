// A configuration that is about to be written: difyd.yaml and the secret files that it names.
#pragma once

#include <string>
#include <vector>

#include "difyd/config/load.hpp"

namespace difyd::release {

struct secret_file {
  std::string path;
  config::secret value;  // not empty
};

struct new_configuration {
  config::settings settings;  // as written: nothing in it is derived
  std::vector<secret_file> files;
  std::string folder;  // of the secret files

  // A file named `name` in that folder; gives its path.
  std::string keep(const std::string& name, const std::string& value);
};

// What difyd will make of it; files of others are read through `world`. Errors: of config::load.
Result<config::settings> read_back(const new_configuration& made, const config::surroundings& world);

}  // namespace difyd::release
