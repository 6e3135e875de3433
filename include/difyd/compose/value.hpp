// A plain tree for what difyd carries along without looking inside (x- blocks, providers, models).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace difyd::compose {

struct value {
  enum class kind { null, boolean, integer, real, text, list, map };

  kind is = kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<std::string> keys;  // of a map, beside items
  std::vector<value> items;       // of a list or a map, in file order

  friend bool operator==(const value&, const value&) = default;
};

}  // namespace difyd::compose
