// YAML text -> trees, over libyaml's events. Aliases and merge keys are expanded; plain
// scalars are resolved as go-yaml v3 does; keys are unique strings.
#pragma once

#include <functional>

#include "tree.hpp"

namespace difyd::compose {

// Bounds against hostile files; far above what a real file needs.
struct yaml_limits {
  std::size_t bytes = std::size_t{4} << 20;
  std::size_t depth = 100;
  std::size_t nodes = 250'000;  // aliases count as often as they are used
};

// One tree per document, in order; an empty document is a null. Throws broken.
std::vector<node> parse_yaml(workspace& w, std::uint16_t file, std::string_view text,
                             const yaml_limits& limits = {});

}  // namespace difyd::compose
