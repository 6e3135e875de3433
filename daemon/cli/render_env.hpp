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

// "2 added, 1 default changed".
std::string counts(const env_report& report);
// The table of what an operator should look at; empty where there is nothing.
std::string what_matters(const env_report& report, const std::string& indent);
// What release::to_text says of it.
release::env_change env_change_of(std::string_view text);

std::string render(const env_report& report);
std::string to_json(const env_report& report);

}  // namespace difyd::cli
