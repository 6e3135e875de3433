#include "edits.hpp"

namespace difyd::compose {

std::vector<edit> take_edits(node& document) {
  std::vector<edit> found;
  const bool named = document.is == kind::mapping;
  for (auto& f : document.fields) {
    edit e{named ? f.key : std::string_view("*"), f.value.asks != directive::none, {}};
    if (!e.drop) e.below = take_edits(f.value);
    if (named && (e.drop || !e.below.empty())) found.push_back(std::move(e));
  }
  std::erase_if(document.fields, [](const field& f) { return f.value.asks == directive::reset; });
  return found;
}

void apply_edits(const std::vector<edit>& edits, node& base) {
  if (base.is != kind::mapping) return;
  for (const auto& e : edits) {
    if (e.drop)
      base.erase(e.key);
    else if (node* under = base.find(e.key))
      apply_edits(e.below, *under);
  }
}

}  // namespace difyd::compose
