// `difyd env diff` as text and as JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "difyd/release/env_diff.hpp"

namespace difyd::cli {

struct env_report {
  std::string from;
  std::string to;
  bool in_force = false;  // whether it is known what was in force
  std::vector<release::env_difference> differences;
};

std::string render(const env_report& report);
std::string to_json(const env_report& report);

}  // namespace difyd::cli
