// The record of replacements that were asked for, in the words in which it is kept: one document per
// request, so that two machines never write over each other's. Pure.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/health/policy.hpp"

namespace difyd::health {

std::string to_json(const replacement& asked);
// Error "replacement-unreadable".
Result<replacement> parse_replacement(const std::string& text);

// The same for the same request, another one for every other: "20261129T105100.123Z-1f0c9a3b.json".
std::string file_name(const replacement& asked);

// Every request once, oldest first.
std::vector<replacement> merged(std::vector<replacement> one, const std::vector<replacement>& other);

// Too old to count for anything: it may be forgotten.
bool outdated(const replacement& asked, const policy& rules, wall_time now);

}  // namespace difyd::health
