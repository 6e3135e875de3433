#include "json.hpp"

namespace difyd::engine {

Error malformed(const std::string& what, const std::string& cause) {
  return {"engine-malformed-answer",
          "cannot " + what + ": the Docker Engine's answer is not understood: " + cause,
          {}};
}

Result<json> parse_json(std::string_view bytes, const std::string& what) {
  json value = json::parse(bytes, nullptr, false);
  if (value.is_discarded()) return std::unexpected(malformed(what, "it is no JSON"));
  return value;
}

const json& member(const json& object, std::string_view key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string moment(const json& object, std::string_view key) {
  auto at = text(object, key);
  return at.starts_with("0001-") ? std::string() : at;
}

std::int64_t number(const json& object, std::string_view key) {
  const json& value = member(object, key);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return 0;
  // "1e300" is a number to JSON, and none that fits.
  constexpr double beyond = 9.2e18;
  const double real = value.get<double>();
  return real > -beyond && real < beyond ? static_cast<std::int64_t>(real) : 0;
}

bool flag(const json& object, std::string_view key) {
  const json& value = member(object, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> texts(const json& object, std::string_view key) {
  std::vector<std::string> result;
  const json& value = member(object, key);
  if (value.is_string()) result.push_back(value.get<std::string>());
  if (!value.is_array()) return result;
  for (const auto& each : value)
    if (each.is_string()) result.push_back(each.get<std::string>());
  return result;
}

std::vector<std::string> keys(const json& object, std::string_view key) {
  std::vector<std::string> result;
  const json& value = member(object, key);
  if (!value.is_object()) return result;
  for (const auto& [name, each] : value.items()) result.push_back(name);
  return result;
}

string_map map_of(const json& object, std::string_view key) {
  string_map result;
  const json& value = member(object, key);
  if (!value.is_object()) return result;
  for (const auto& [name, each] : value.items())
    if (each.is_string()) result.emplace(name, each.get<std::string>());
  return result;
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

}  // namespace difyd::engine
