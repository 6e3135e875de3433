#include <array>
#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"
#include "difyd/config/table.hpp"

namespace difyd::config {
namespace {

constexpr std::string_view head =
    "# Configuration of difyd (/etc/difyd/difyd.yaml).\n"
    "#\n"
    "# Every key is here. Those behind a # show their default, or an example where there is\n"
    "# none; only storage.root must be given. `difyd config check` finds mistakes. Secrets\n"
    "# stand in files of their own. gcp.yaml, pigsty.yaml and standalone.yaml beside this file\n"
    "# are complete examples. This file is made from difyd's table of keys.\n";

void add_comment(std::string& out, std::string_view text, const std::string& indent) {
  constexpr std::size_t width = 96;
  std::string line = indent + "#";
  for (const auto& word : split(text, ' ')) {
    if (line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line = indent + "#";
    }
    line += " " + word;
  }
  out += line + "\n";
}

std::string constraint(const key& row) {
  std::string text = row.required ? " Required." : "";
  if (row.wants == form::choice) text += " One of " + join(split(row.range, '|'), ", ") + ".";
  if (row.wants == form::between) {
    const std::size_t dots = row.range.find("..");
    text += " From " + std::string(row.range.substr(0, dots)) + " to " +
            std::string(row.range.substr(dots + 2)) + ".";
  }
  return text;
}

void add_key(std::string& out, const key& row, std::string_view name, const std::string& indent) {
  add_comment(out, std::string(row.description) + constraint(row), indent);
  const std::string_view value = row.fallback.empty() ? row.example : row.fallback;
  out += indent + (row.required ? "" : "#") + std::string(name) + ": " + std::string(value) + "\n";
}

}  // namespace

std::string_view type_name(const key& row) {
  static constexpr std::array<std::string_view, 7> names = {
      "a text", "a number", "true or false", "a duration", "a version", "a list of texts", "a map of texts"};
  return names[row.where.index()];
}

std::string reference() {
  std::string out(head);
  std::string group;
  for (const auto& row : table()) {
    if (row.wants == form::refused) continue;
    const std::size_t dot = row.path.find('.');
    const std::string own(dot == std::string_view::npos ? std::string_view() : row.path.substr(0, dot));
    out += "\n";
    if (own != group && !own.empty()) out += own + ":\n";
    group = own;
    add_key(out, row, own.empty() ? row.path : row.path.substr(dot + 1), own.empty() ? "" : "  ");
  }
  return out;
}

std::string reference_json() {
  auto keys = nlohmann::ordered_json::array();
  for (const auto& row : table()) {
    if (row.wants == form::refused) continue;
    nlohmann::ordered_json one{{"key", row.path}, {"type", type_name(row)}, {"required", row.required}};
    if (!row.fallback.empty()) one["default"] = row.fallback;
    if (!row.range.empty()) one["allowed"] = row.range;
    if (!row.example.empty()) one["example"] = row.example;
    one["description"] = row.description;
    keys.push_back(std::move(one));
  }
  return keys.dump(2) + "\n";
}

}  // namespace difyd::config
