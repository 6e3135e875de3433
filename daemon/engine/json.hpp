// Reading the engine's JSON: what is missing, null or of another type reads as empty, because the
// engine leaves out or nulls what is unset, and newer versions drop fields.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/engine/container.hpp"

namespace difyd::engine {

using nlohmann::json;

// `what` completes "cannot ...". Errors: "engine-malformed-answer".
Result<json> parse_json(std::string_view text, const std::string& what);
Error malformed(const std::string& what, const std::string& cause);

const json& member(const json& object, std::string_view key);  // null where there is none
std::string text(const json& object, std::string_view key);
// A time; "" for the engine's word for never, the year 1.
std::string moment(const json& object, std::string_view key);
std::int64_t number(const json& object, std::string_view key);
bool flag(const json& object, std::string_view key);
std::vector<std::string> texts(const json& object, std::string_view key);
std::vector<std::string> keys(const json& object, std::string_view key);
string_map map_of(const json& object, std::string_view key);

// Never throws: bytes that are no UTF-8 are replaced.
std::string dump(const json& value);

// "/web" -> "web"
std::string without_slash(std::string name);

// Every element of an array decoded; the first error ends it. A null array is empty.
template <class T>
Result<std::vector<T>> decode_all(const json& array, const std::function<Result<T>(const json&)>& decode,
                                  const std::string& what) {
  std::vector<T> result;
  if (array.is_null()) return result;
  if (!array.is_array()) return std::unexpected(malformed(what, "a list was expected"));
  for (const auto& each : array) {
    auto decoded = decode(each);
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    result.push_back(std::move(*decoded));
  }
  return result;
}

}  // namespace difyd::engine
