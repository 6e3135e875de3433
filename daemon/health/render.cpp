#include "difyd/health/render.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "difyd/base/clock.hpp"
#include "difyd/base/text.hpp"

namespace difyd::health {
namespace {

struct mark {
  const char* word;
  const char* colour;
};

mark mark_of(severity level) {
  switch (level) {
    case severity::ok:
      return {"ok", "\033[32m"};
    case severity::info:
      return {"info", "\033[36m"};
    case severity::warning:
      return {"warn", "\033[33m"};
    case severity::error:
      break;
    case severity::critical:
      break;
  }
  return {"error", "\033[31m"};
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// What a server or a container wrote must not move the terminal's cursor.
std::string one_line(const std::string& text) {
  std::string result;
  for (const char c : text) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return result;
}

std::string counted(std::ptrdiff_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string summary(const std::vector<finding>& findings) {
  const auto errors = std::count_if(findings.begin(), findings.end(),
                                    [](const finding& each) { return each.level >= severity::error; });
  const auto warnings = std::count_if(findings.begin(), findings.end(),
                                      [](const finding& each) { return each.level == severity::warning; });
  const auto checks = counted(static_cast<std::ptrdiff_t>(findings.size()), "check");
  if (errors == 0 && warnings == 0) return checks + ", all good";
  return checks + ": " + counted(errors, "error") + ", " + counted(warnings, "warning");
}

}  // namespace

std::string render_text(const std::vector<finding>& findings, bool colour) {
  std::size_t width = 0;
  for (const auto& each : findings) width = std::max(width, each.subject.size());
  std::string text;
  for (const auto& each : findings) {
    const auto [word, paint] = mark_of(each.level);
    const auto first = padded(word, 5);
    text += colour ? paint + first + "\033[0m" : first;
    text += "  " + padded(one_line(each.subject), width) + "  " + one_line(each.detail) + "\n";
    // A remedy of several commands has one per line.
    for (const auto& line : split(each.remedy, '\n'))
      if (!line.empty()) text += padded("", 5 + 2 + width + 2) + "-> " + one_line(line) + "\n";
  }
  return text + summary(findings) + "\n";
}

std::string render_json(const std::vector<finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& each : findings) {
    nlohmann::ordered_json one{{"subject", each.subject},         {"code", each.code},
                               {"severity", to_text(each.level)}, {"detail", each.detail},
                               {"remedy", each.remedy},           {"new_vm_helps", each.new_vm_helps}};
    if (each.since != wall_time{}) one["since"] = to_rfc3339(each.since);
    list.push_back(std::move(one));
  }
  const nlohmann::ordered_json all{{"worst", to_text(worst(findings))}, {"findings", std::move(list)}};
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int exit_code(const std::vector<finding>& findings) {
  const auto level = worst(findings);
  return level >= severity::error ? 2 : level == severity::warning ? 1 : 0;
}

}  // namespace difyd::health
