// Reads and checks /etc/difyd/difyd.yaml.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/config/settings.hpp"

namespace difyd::config {

// What the loader may touch of the world.
struct surroundings {
  std::function<Result<std::string>(const std::string& path)> read_file;
  std::function<bool(const std::string& path)> readable_by_all;  // may be empty
  // Asked for releases.source, by `difyd config check` only: a daemon without that folder still runs
  // what is deployed, and looking for it may hang. May be empty.
  std::function<bool(const std::string& path)> is_folder;
  std::string credentials_directory;  // $CREDENTIALS_DIRECTORY
};

surroundings this_process();

// Whether environment and environment_files may have this variable: difyd sets some from keys of its own.
bool may_override(std::string_view variable);

struct outcome {
  settings values;                    // meaningful only where errors is empty
  std::vector<Error> errors;          // every mistake found, in file order; see below
  std::vector<std::string> warnings;  // one sentence each
  bool good() const { return errors.empty(); }
};

// One Error per mistake, "cannot use <path>:<line>:<column>: ...". Codes:
//   config-unreadable      the file itself; config-denied where this user may not read it
//   config-syntax          not YAML, or not a map
//   config-unknown-key     with a suggestion as remedy
//   config-wrong-type      "database.port wants a number"
//   config-out-of-range    outside of the row's constraint, or keys that contradict each other
//   config-missing-key     required, or required by another key
//   config-folder-missing  releases.source
//   config-secret-missing  file or credential not there, unreadable or empty
outcome load_all(const std::string& path, const surroundings& world);

// The first mistake only; its remedy counts the others and names `difyd config check`.
Result<settings> load(const std::string& path, const surroundings& world);

// As load_all, of a text; `path` is only for messages.
outcome parse(const std::string& text, const std::string& path, const surroundings& world);

}  // namespace difyd::config
