#include "render_env.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"
#include "render.hpp"

namespace difyd::cli {
namespace {

using release::env_change;
using release::env_difference;
using rows = std::vector<std::vector<std::string>>;

// A URL or a list of JSON must not push every other column away.
std::string cell(const std::string& value) {
  constexpr std::size_t limit = 40;
  if (value.empty()) return "-";
  std::string line = value.substr(0, limit);
  std::ranges::replace(line, '\n', ' ');
  return value.size() > limit ? line + "..." : line;
}

std::string key_of(const env_difference& each) {
  return each.new_key.empty() ? each.key : each.key + " -> " + each.new_key;
}

std::string kind_of(const env_difference& each) { return std::string(release::to_text(each.kind)); }

rows head(bool in_force) {
  rows made{{"key", "what", "old default", "new default"}};
  if (in_force) made[0].insert(made[0].end(), {"in force", "then"});
  return made;
}

std::vector<std::string> row_of(const env_difference& each, bool in_force) {
  std::vector<std::string> row{key_of(each), kind_of(each), cell(each.old_default), cell(each.new_default)};
  if (in_force) row.insert(row.end(), {cell(each.in_force), cell(each.then_in_force)});
  return row;
}

}  // namespace

std::string counts(const env_report& report) {
  std::string text;
  for (const auto kind : {env_change::added, env_change::removed, env_change::renamed, env_change::changed,
                          env_change::value}) {
    const auto number = std::ranges::count(report.differences, kind, &env_difference::kind);
    if (number == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(number) + " ";
    if (kind == env_change::changed)
      text += number == 1 ? "default changed" : "defaults changed";
    else if (kind == env_change::value)
      text += "changed in force only";
    else
      text += std::string(release::to_text(kind));
  }
  return text.empty() ? "no difference" : text;
}

std::string what_matters(const env_report& report, const std::string& indent) {
  rows table_rows;
  for (const auto& each : report.differences) {
    if (each.matters.empty()) continue;
    if (table_rows.empty()) {
      table_rows = head(report.in_force);
      table_rows[0].insert(table_rows[0].begin(), "matters");
    }
    auto row = row_of(each, report.in_force);
    row.insert(row.begin(), each.matters);
    table_rows.push_back(std::move(row));
  }
  return table(table_rows, indent);
}

env_change env_change_of(std::string_view text) {
  for (const auto kind : {env_change::added, env_change::removed, env_change::renamed, env_change::changed})
    if (release::to_text(kind) == text) return kind;
  return env_change::value;
}

std::string render(const env_report& report) {
  std::string text = "environment " + report.from + " -> " + report.to + ": " + counts(report) + "\n";
  if (!report.in_force)
    text += "what is in force is not known: " + report.from + " has no working copy here\n";
  if (const auto rows = what_matters(report, "  "); !rows.empty()) text += "\nwhat matters\n" + rows;
  rows others = head(report.in_force);
  std::vector<std::string> removed;
  for (const auto& each : report.differences) {
    if (!each.matters.empty()) continue;
    if (each.kind == env_change::removed)
      removed.push_back(each.key);
    else
      others.push_back(row_of(each, report.in_force));
  }
  if (others.size() > 1) text += "\nothers\n" + table(others, "  ");
  // Of hundreds of keys no more is of interest.
  if (!removed.empty()) text += "\nno longer in .env.example\n" + wrapped(join(removed, " "), "  ");
  return text;
}

std::string to_json(const env_report& report) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& each : report.differences) {
    nlohmann::ordered_json entry{{"key", each.key}, {"kind", kind_of(each)}};
    if (!each.new_key.empty()) entry["new_key"] = each.new_key;
    entry["old_default"] = each.old_default;
    entry["new_default"] = each.new_default;
    if (report.in_force) {
      entry["in_force"] = each.in_force;
      entry["then_in_force"] = each.then_in_force;
    }
    entry["secret"] = each.secret;
    entry["matters"] = each.matters;
    list.push_back(std::move(entry));
  }
  const nlohmann::ordered_json document{{"from", report.from},
                                        {"to", report.to},
                                        {"in_force_known", report.in_force},
                                        {"differences", std::move(list)}};
  // What was in force may hold bytes that are not UTF-8.
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace difyd::cli
