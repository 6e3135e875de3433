// What difyd's own configuration says about a release's environment. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "difyd/release/environment.hpp"

namespace difyd::release {

using assignments = std::vector<std::pair<std::string, std::string>>;

// `published`: the release's own defaults.
Result<assignments> derived(const config::settings& settings, const text_map& published,
                            std::string_view env_example);

}  // namespace difyd::release
