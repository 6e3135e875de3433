#include "difyd/health/replacements.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "difyd/base/sha256.hpp"

namespace difyd::health {
namespace {

using std::chrono::milliseconds;

std::int64_t milliseconds_of(wall_time at) {
  return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}

auto identity(const replacement& asked) {
  return std::tuple(milliseconds_of(asked.asked), asked.finding, asked.machine);
}

}  // namespace

std::string to_json(const replacement& asked) {
  const nlohmann::ordered_json tree{{"finding", asked.finding},
                                    {"machine", asked.machine},
                                    {"asked", to_rfc3339(asked.asked)},
                                    {"asked_ms", milliseconds_of(asked.asked)}};
  return tree.dump() + "\n";
}

Result<replacement> parse_replacement(const std::string& text) {
  const auto tree = nlohmann::json::parse(text, nullptr, false);
  const auto has = [&](const char* key, auto is) { return tree.contains(key) && (tree[key].*is)(); };
  if (!tree.is_object() || !has("finding", &nlohmann::json::is_string) ||
      !has("machine", &nlohmann::json::is_string) || !has("asked_ms", &nlohmann::json::is_number_integer))
    return fail("replacement-unreadable", "cannot read the record of a replacement that was asked for");
  return replacement{tree["finding"], tree["machine"],
                     wall_time(milliseconds(tree["asked_ms"].get<std::int64_t>()))};
}

std::string file_name(const replacement& asked) {
  std::string time = to_rfc3339(asked.asked);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return time + "-" + sha256_hex(asked.machine + "\n" + asked.finding).substr(0, 8) + ".json";
}

std::vector<replacement> merged(std::vector<replacement> one, const std::vector<replacement>& other) {
  one.insert(one.end(), other.begin(), other.end());
  std::ranges::sort(one, {}, identity);
  const auto twice = std::ranges::unique(one, {}, identity);
  one.erase(twice.begin(), twice.end());
  return one;
}

bool outdated(const replacement& asked, const policy& rules, wall_time now) {
  return now - asked.asked > 10 * rules.replace_at_most_every;
}

}  // namespace difyd::health
