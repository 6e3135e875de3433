#include <algorithm>
#include <array>
#include <utility>

#include "difyd/base/text.hpp"
#include "difyd/model/finding.hpp"
#include "difyd/model/phase.hpp"
#include "difyd/model/revision.hpp"

namespace difyd {
namespace {

constexpr std::array<std::pair<phase, std::string_view>, 6> phases{{
    {phase::starting, "starting"},
    {phase::waiting_for_lease, "waiting-for-lease"},
    {phase::serving, "serving"},
    {phase::upgrading, "upgrading"},
    {phase::holding, "holding"},
    {phase::stopped, "stopped"},
}};

}  // namespace

std::string_view to_text(severity value) {
  static constexpr std::array<std::string_view, 5> names{"ok", "info", "warning", "error", "critical"};
  return names[static_cast<std::size_t>(value)];
}

severity worst(const std::vector<finding>& findings) {
  severity result = severity::ok;
  for (const auto& each : findings) result = std::max(result, each.level);
  return result;
}

std::string_view to_text(phase value) {
  for (const auto& [each, name] : phases)
    if (each == value) return name;
  return "unknown";
}

std::optional<phase> parse_phase(std::string_view text) {
  for (const auto& [each, name] : phases)
    if (name == text) return each;
  return std::nullopt;
}

std::optional<revision> parse_revision(std::string_view output) {
  std::optional<revision> found;
  for (const auto& line : split(output, '\n')) {
    const auto words = split(trim(line), ' ');
    const bool bare = words.size() == 1 && !words[0].empty();
    const bool head = words.size() >= 2 && words[1] == "(head)";
    const bool hexadecimal =
        words[0].size() >= 4 && words[0].find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hexadecimal || !(bare || head)) continue;
    if (found) return std::nullopt;
    found = revision{words[0]};
  }
  return found;
}

}  // namespace difyd
