#include "difyd/config/print.hpp"

#include <nlohmann/json.hpp>

#include "difyd/base/url.hpp"
#include "difyd/config/table.hpp"
#include "values.hpp"

namespace difyd::config {
namespace {

using json = nlohmann::ordered_json;

json shown(const std::string& text) { return text; }
json shown(int number) { return number; }
json shown(bool truth) { return truth; }
json shown(duration time) { return duration_text(time); }
json shown(const std::optional<difyd::version>& version) { return version ? json(version->text()) : json(); }
json shown(const std::optional<text_list>& list) { return list ? json(*list) : json(); }

json shown_as_is(const text_map& map) {
  json result = json::object();
  for (const auto& [name, value] : map) result[name] = value;
  return result;
}

json shown(const text_map& map) {
  json result = json::object();
  for (const auto& [name, value] : map)
    result[name] = names_secret(name) && !value.starts_with('/') ? "(secret)" : value;
  return result;
}

bool unset(const json& value, const key& row) {
  if (value.is_null()) return true;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  // A number without a default is not given while it is 0 (vector.port).
  if (value.is_number() && row.fallback.empty()) return value == 0;
  return value.is_object() && value.empty();
}

// Keys in groups, as in the file.
void place(json& tree, const key& row, json value) {
  const std::string path(row.path);
  const std::size_t dot = path.find('.');
  (dot == std::string::npos ? tree[path] : tree[path.substr(0, dot)][path.substr(dot + 1)]) =
      std::move(value);
}

json tree(const settings& values) {
  json result = json::object();
  auto copy = values;
  for (const auto& row : table()) {
    if (row.wants == form::refused) continue;
    json value = std::visit([&](auto get) { return shown(get(copy)); }, row.where);
    if (row.wants == form::url_of_version || row.wants == form::proxy)
      value = public_url(value.get<std::string>());
    if (!unset(value, row)) place(result, row, std::move(value));
  }
  return result;
}

struct written {
  settings& values;
  json operator()(text_map& (*get)(settings&)) const { return shown_as_is(get(values)); }
  json operator()(auto get) const { return shown(get(values)); }
};

// JSON's texts and flow lists are YAML too: only the nesting of maps is written differently.
void write_yaml(std::string& out, const json& map, const std::string& indent) {
  for (const auto& [name, value] : map.items()) {
    out += indent + name + ":";
    if (value.is_object()) {
      out += "\n";
      write_yaml(out, value, indent + "  ");
    } else {
      out += " " + value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    }
  }
}

}  // namespace

std::string to_yaml(const settings& values) {
  std::string out;
  write_yaml(out, tree(values), "");
  return out;
}

std::string to_file(const settings& values) {
  json result = json::object();
  auto copy = values, usual = defaults();
  for (const auto& row : table()) {
    if (row.wants == form::refused) continue;
    json value = std::visit(written{copy}, row.where);
    if (!unset(value, row) && value != std::visit(written{usual}, row.where))
      place(result, row, std::move(value));
  }
  std::string out;
  write_yaml(out, result, "");
  return out;
}

std::string to_json(const settings& values) {
  return tree(values).dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace difyd::config
