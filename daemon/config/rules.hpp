// What keys demand of each other, and the secrets that they name.
#pragma once

#include <vector>

#include "difyd/config/load.hpp"
#include "values.hpp"

namespace difyd::config {

// Defaults that depend on other keys (sslmode, vector from database, rehearsal from its host).
void derive(settings& values);

// Contradictions and keys that others require. Mistakes without a place of their own have
// line 0.
std::vector<mistake> check_rules(const settings& values);

// What `is_folder` says of releases.source.
void check_folders(const settings& values, const surroundings& world, std::vector<mistake>& mistakes);

// Reads what password_file, password_credential and environment_files name.
void read_secrets(settings& values, const surroundings& world, std::vector<mistake>& mistakes,
                  std::vector<std::string>& warnings);

}  // namespace difyd::config
