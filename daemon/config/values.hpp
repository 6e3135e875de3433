// One value of the file into one slot of the settings, and back to text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "difyd/config/table.hpp"
#include "difyd/config/yaml_tree.hpp"

namespace difyd::config {

struct mistake {
  position at;
  std::string code;
  std::string cause;
  std::string remedy;
};

// nullopt: assigned.
std::optional<mistake> assign(const key& row, const node& value, settings& into);

void assign_fallback(const key& row, settings& into);

std::optional<duration> parse_duration(std::string_view text);
std::string duration_text(duration time);  // "90s", "2m", "1h", "250ms"

}  // namespace difyd::config
