// Which projects have containers that were started from a folder.
#pragma once

#include <optional>
#include <set>
#include <string>

namespace difyd::cli {

// nullopt where the engine does not answer. Those that run, where some do.
std::optional<std::set<std::string>> projects_run_from(const std::string& engine, const std::string& folder);

}  // namespace difyd::cli
