// `!reset` and `!override`: what a document wants removed from what lies below it.
#pragma once

#include "tree.hpp"

namespace difyd::compose {

struct edit {
  std::string_view key;
  bool drop = false;
  std::vector<edit> below;
};

// Collects the edits of a document and takes the reset values out of it.
std::vector<edit> take_edits(node& document);
void apply_edits(const std::vector<edit>& edits, node& base);

}  // namespace difyd::compose
