// What applies where in the tree: a table of path patterns ("services.*.ports.*.target") made
// into a trie that is walked beside the tree. `*` stands for any key and for any list item.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace difyd::compose {

template <class Action>
class rules {
 public:
  rules() = default;
  rules(std::initializer_list<std::pair<std::string_view, Action>> table) {
    for (const auto& [pattern, what] : table) add(pattern, what);
  }

  // The rules below `key`; nullptr where there are none.
  const rules* below(std::string_view key) const {
    const rules* any = nullptr;
    for (const auto& [name, child] : children_) {
      if (name == key) return child.get();
      if (name == "*") any = child.get();
    }
    return any;
  }

  Action action{};

 private:
  void add(std::string_view pattern, Action what) {
    rules* at = this;
    while (!pattern.empty()) {
      const std::string_view part = pattern.substr(0, pattern.find('.'));
      pattern.remove_prefix(part.size() < pattern.size() ? part.size() + 1 : part.size());
      at = at->child(part);
    }
    at->action = what;
  }

  rules* child(std::string_view name) {
    for (auto& [known, below] : children_)
      if (known == name) return below.get();
    return children_.emplace_back(name, std::make_unique<rules>()).second.get();
  }

  std::vector<std::pair<std::string_view, std::unique_ptr<rules>>> children_;
};

template <class Action>
const rules<Action>* below(const rules<Action>* at, std::string_view key) {
  return at ? at->below(key) : nullptr;
}

}  // namespace difyd::compose
