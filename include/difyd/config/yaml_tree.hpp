// A YAML document as a tree that remembers where everything stands.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace difyd::config {

struct position {
  std::size_t line = 1;
  std::size_t column = 1;
};

struct node {
  enum class kind { null, scalar, map, list };
  kind is = kind::null;
  std::string text;         // of a scalar, as written
  std::vector<node> items;  // of a map or a list, in file order
  position at;              // of the value
  std::string key;          // within a map; unique there
  position key_at;
};

struct syntax_error {
  position at;
  std::string cause;
};

// One document. Anchors, aliases, tags, keys that are not texts and documents nested deeper
// than 16 levels are refused: a configuration has no use for them.
std::expected<node, syntax_error> read_yaml(const std::string& text);

}  // namespace difyd::config
