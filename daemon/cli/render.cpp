#include "render.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"
#include "difyd/model/version.hpp"

namespace difyd::cli {
namespace {

std::string seconds_text(double seconds) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  return buffer;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

// A remedy of several commands has one per line; what was said above is not said again.
std::string findings_text(const control::status& status) {
  std::string text;
  for (const auto& each : status.findings) {
    text += "  " + std::string(to_text(each.level)) + "  " + each.subject + ": " + each.detail + "\n";
    for (const auto& line : split(each.remedy, '\n'))
      if (!line.empty() && std::ranges::find(status.options, line) == status.options.end())
        text += "      -> " + line + "\n";
  }
  return text.empty() ? text : "findings\n" + text;
}

std::string operation_text(const control::operation_status& operation) {
  std::string text = operation.kind + " " + operation.id;
  if (!operation.to.empty()) text += " (" + or_dash(operation.from) + " -> " + operation.to + ")";
  text += operation.result.empty() ? ", running since " + operation.started : ", " + operation.result;
  text += "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : operation.steps)
    rows.push_back({step.step, step.state, seconds_text(step.seconds), step.detail});
  return text + table(rows, "  ");
}

std::string wanted_text(const control::status& status) {
  const auto wanted = parse_version(status.wanted);
  const auto deployed = parse_version(status.deployed);
  if (!wanted || (deployed && *wanted == *deployed)) return {};
  if (deployed && *wanted < *deployed) return " (configured: " + status.wanted + ", older: ignored)";
  return " (wanted: " + status.wanted + ")";
}

void add(std::string& text, const char* name, const std::string& value) {
  if (value.empty()) return;
  std::string label = name;
  label.resize(std::max<std::size_t>(label.size(), 10), ' ');
  text += label + value + "\n";
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows, const std::string& indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string render_services(const std::vector<control::service_status>& services) {
  std::vector<std::vector<std::string>> rows{{"SERVICE", "STATE", "IMAGE", "CONTAINER"}};
  for (const auto& each : services) {
    std::string state = each.state;
    if (!each.health.empty()) state += " (" + each.health + ")";
    if (each.state == "exited") state += " (" + std::to_string(each.exit_code) + ")";
    std::string image = or_dash(each.image);
    if (!each.wanted_image.empty()) image += " (wanted: " + each.wanted_image + ")";
    rows.push_back({each.service, state, image, or_dash(each.container)});
  }
  return table(rows);
}

std::string maintenance_text(const control::status& status) {
  if (status.maintenance.empty()) return "maintenance is off";
  return "maintenance is on since " + status.maintenance +
         (status.maintenance_reason.empty() ? "" : ": " + status.maintenance_reason);
}

std::string maintenance_json(const control::status& status) {
  nlohmann::ordered_json out{{"on", !status.maintenance.empty()}};
  if (!status.maintenance.empty()) out["since"] = status.maintenance;
  if (!status.maintenance.empty()) out["reason"] = status.maintenance_reason;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string render(const control::status& status) {
  std::string text;
  add(text, "phase", status.phase + (status.message.empty() ? "" : ": " + status.message));
  for (const auto& option : status.options) add(text, "", option);
  add(text, "dify", or_dash(status.deployed) + wanted_text(status));
  add(text, "project", status.project);
  add(text, "schema", status.revision);
  add(text, "lease", status.lease);
  add(text, "health",
      "/healthz " + status.healthz + ", /readyz " + status.readyz +
          (status.reason.empty() ? "" : " (" + status.reason + ")"));
  if (!status.maintenance.empty()) add(text, "closed", maintenance_text(status));
  add(text, "url", status.url);
  add(text, "daemon", status.program_version + ", up since " + status.started);
  if (status.operation) text += "\n" + operation_text(*status.operation);
  if (!status.services.empty()) text += "\n" + render_services(status.services);
  if (!status.findings.empty()) text += "\n" + findings_text(status);
  return text;
}

std::string wrapped(const std::string& text, const std::string& indent) {
  constexpr std::size_t widest = 100;
  std::string result, line = indent;
  for (const auto& word : split(text, ' ')) {
    if (line.size() > indent.size() && line.size() + 1 + word.size() > widest) {
      result += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  return result + line + "\n";
}

std::string render(const std::vector<control::migration>& migrations) {
  if (migrations.empty()) return "no migration has been run\n";
  std::vector<std::vector<std::string>> rows{
      {"ID", "UPGRADE", "FROM", "TO", "STARTED", "TOOK", "EXIT", "RESULT"}};
  for (const auto& each : migrations)
    rows.push_back({each.id, each.upgrade, or_dash(each.from_revision), or_dash(each.to_revision),
                    each.started, seconds_text(each.seconds), std::to_string(each.exit_code), each.result});
  return table(rows);
}

std::string render(const std::vector<control::owed_command>& commands) {
  if (commands.empty()) return "no command of an advisory is to be run\n";
  std::string text;
  for (const auto& each : commands) {
    text += each.state + std::string(9 - std::min<std::size_t>(8, each.state.size()), ' ') + each.advisory +
            ": in " + each.service + ": " + each.command + "\n";
    if (!each.detail.empty()) text += wrapped(each.detail, "         ");
  }
  return text;
}

std::string render(const std::vector<control::backup>& backups) {
  if (backups.empty()) return "there is no backup; take one with: difyd backup\n";
  std::vector<std::vector<std::string>> rows{{"ID", "VERSION", "TAKEN", "SIZE", "NOTE"}};
  for (const auto& each : backups) {
    std::string note = each.writes_stopped ? "writes had stopped" : "Dify served meanwhile";
    if (!each.problem.empty()) note = "not for difyd rollback: " + each.problem;
    rows.push_back({each.id, each.version, each.time, bytes_text(each.bytes), note});
  }
  return table(rows);
}

std::string render(const control::restore_plan& plan) {
  std::string text = "restoring backup " + plan.backup + " brings Dify " + plan.version + " back\n\nlost\n";
  for (const auto& each : plan.loses) text += wrapped(each, "  ");
  text += "\nkept\n";
  for (const auto& each : plan.keeps) text += wrapped(each, "  ");
  return text;
}

std::string render(const std::vector<control::past_upgrade>& history) {
  if (history.empty()) return "nothing has been upgraded yet\n";
  std::vector<std::vector<std::string>> rows{
      {"ID", "FROM", "TO", "STARTED", "TOOK", "DOWN", "RESULT", "REASON"}};
  for (const auto& each : history)
    rows.push_back({each.id, or_dash(each.from), each.to, each.started, seconds_text(each.seconds),
                    seconds_text(each.downtime_seconds), each.result, each.reason});
  return table(rows);
}

}  // namespace difyd::cli
