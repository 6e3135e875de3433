#include "difyd/engine/event.hpp"

#include <cstdio>
#include <limits>

#include "json.hpp"

namespace difyd::engine {

std::string event::attribute(const std::string& key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

Result<event> decode_event(std::string_view object) {
  const std::string what = "read the events of the Docker Engine";
  auto value = parse_json(object, what);
  if (!value) return std::unexpected(std::move(value.error()));
  const json& actor = member(*value, "Actor");
  event result{text(*value, "Type"), text(*value, "Action"), text(actor, "ID"), map_of(actor, "Attributes"),
               number(*value, "timeNano")};
  constexpr std::int64_t second = 1'000'000'000;
  const auto time = number(*value, "time");
  const bool sane = time >= 0 && time < std::numeric_limits<std::int64_t>::max() / second;
  if (result.time_nano <= 0) result.time_nano = sane ? time * second : 0;
  if (result.type.empty() || result.action.empty())
    return std::unexpected(malformed(what, "an event has no type or action"));
  return result;
}

std::string since_text(std::int64_t time_nano) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%lld.%09lld", static_cast<long long>(time_nano / 1'000'000'000),
                static_cast<long long>(time_nano % 1'000'000'000));
  return buffer;
}

}  // namespace difyd::engine
