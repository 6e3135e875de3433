// Relative paths of a document made absolute (REFERENCE 1.2: against the project directory).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

struct path_base {
  std::string directory;  // absolute
  std::string home;       // what `~` stands for; empty = unknown
};

void resolve_paths(workspace& w, node& document, const path_base& base);
std::string absolute_path(std::string_view path, const path_base& base);

}  // namespace difyd::compose
