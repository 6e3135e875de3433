#include "status_page.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "difyd/base/html.hpp"
#include "difyd/base/text.hpp"
#include "difyd/front/published.hpp"
#include "status_style.hpp"

namespace difyd::supervisor {
namespace {

// More past upgrades are in `difyd history`.
constexpr std::size_t shown_upgrades = 10;

std::string element(const char* tag, const char* css, std::string_view text) {
  std::string open = std::string("<") + tag;
  if (*css) open += std::string(" class=\"") + css + "\"";
  return open + ">" + html_escaped(text) + "</" + tag + ">";
}

// 2026-11-21T16:53:09.123Z -> 2026-11-21 16:53:09 UTC
std::string time_text(std::string time) {
  if (time.size() < 19) return time;
  time.resize(19);
  time[10] = ' ';
  return time + " UTC";
}

// To the minute, for lists.
std::string short_time(const std::string& time) {
  return time.size() < 16 ? time : time.substr(0, 10) + " " + time.substr(11, 5);
}

std::string seconds_text(double seconds) {
  char text[40];
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (seconds < 10)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (seconds < 60)
    std::snprintf(text, sizeof text, "%lld s", whole);
  else if (seconds < 3600)
    std::snprintf(text, sizeof text, "%lld min %lld s", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%lld h %lld min", whole / 3600, whole / 60 % 60);
  return text;
}

// "difyd resume: tries it again" -> the command, and what it does.
std::string advice(const std::string& line) {
  const auto colon = line.find(": ");
  if (!line.starts_with("difyd ") || colon == std::string::npos) return html_escaped(line);
  return element("code", "", line.substr(0, colon)) + " " + html_escaped(line.substr(colon + 2));
}

std::string advice_list(const std::string& remedy) {
  std::string items;
  for (const auto& line : split(remedy, '\n'))
    if (!line.empty()) items += "<li>" + advice(line) + "</li>\n";
  return items.empty() ? items : "<ul class=\"do\">\n" + items + "</ul>\n";
}

std::string section(const std::string& title, const std::string& body) {
  return "<section>\n" + element("h2", "", title) + "\n" + body + "</section>\n";
}

std::string head_text(const control::status& now) {
  const std::string name = now.deployed.empty() ? "Dify" : "Dify " + now.deployed;
  std::string text = "<header class=\"" + html_escaped(now.phase) + "\">\n<div class=\"line\">" +
                     element("h1", "", name) + element("span", "pill", now.phase);
  if (!now.maintenance.empty()) text += element("span", "pill closed", "maintenance");
  text += "</div>\n";
  if (!now.message.empty()) text += element("p", "message", now.message) + "\n";
  return text + std::string(front::age_mark) + "\n</header>\n";
}

std::string options_text(const control::status& now) {
  if (now.options.empty()) return {};
  return section("What you can do", advice_list(join(now.options, "\n")));
}

std::string fact(const char* name, const std::string& value, const char* css = "") {
  if (value.empty()) return {};
  return "<div>" + element("dt", "", name) + element("dd", css, value) + "</div>\n";
}

const char* good_or_bad(const std::string& status) { return status == "200" ? "good" : "bad"; }

std::string facts_text(const control::status& now) {
  std::string text = "<dl>\n" + fact("/healthz", now.healthz, good_or_bad(now.healthz)) +
                     fact("/readyz", now.readyz, good_or_bad(now.readyz)) + fact("because", now.reason);
  if (!now.maintenance.empty()) text += fact("maintenance since", time_text(now.maintenance));
  text += fact("visitors read", now.maintenance_reason);
  if (!now.wanted.empty() && now.wanted != now.deployed) text += fact("configured version", now.wanted);
  text += fact("schema", now.revision) + fact("lease", now.lease) + fact("project", now.project) +
          fact("difyd", now.program_version + ", up since " + time_text(now.started));
  return section("Verdict", text + "</dl>\n");
}

std::string finding_text(const finding& each) {
  const std::string level(to_text(each.level));
  std::string text = "<article class=\"" + level + "\">\n<div class=\"line\">" +
                     element("span", "tag", level) + element("b", "", each.subject) +
                     element("span", "soft", each.code) + "</div>\n" + element("p", "", each.detail) + "\n" +
                     advice_list(each.remedy);
  if (each.new_vm_helps) text += element("p", "soft", "A new machine would cure it.") + "\n";
  if (each.since != wall_time{})
    text += element("p", "soft", "since " + time_text(to_rfc3339(each.since))) + "\n";
  return text + "</article>\n";
}

std::string findings_text(const control::status& now) {
  if (now.findings.empty()) return section("Findings", element("p", "soft", "Nothing is wrong.") + "\n");
  std::string text;
  for (const auto level :
       {severity::critical, severity::error, severity::warning, severity::info, severity::ok})
    for (const auto& each : now.findings)
      if (each.level == level) text += finding_text(each);
  return section("Findings", text);
}

std::string step_text(const control::step_status& step) {
  return "<li class=\"" + html_escaped(step.state) + "\"><i></i><div>" + element("b", "", step.step) + " " +
         element("span", "soft", step.state) +
         (step.detail.empty() ? "" : element("p", "soft", step.detail)) + "</div>" +
         element("span", "time", seconds_text(step.seconds)) + "</li>\n";
}

std::string operation_text(const control::status& now) {
  if (!now.operation || (now.operation->kind != "upgrade" && now.operation->steps.empty())) return {};
  const auto& operation = *now.operation;
  std::string text = element("p", "soft",
                             (operation.from.empty() ? "" : operation.from + " to ") + operation.to +
                                 ", begun " + time_text(operation.started) + ", " +
                                 (operation.result.empty() ? "under way" : operation.result)) +
                     "\n<ol class=\"steps\">\n";
  for (const auto& step : operation.steps) text += step_text(step);
  return section(operation.kind == "upgrade" ? "Upgrade" : operation.kind, text + "</ol>\n");
}

std::string service_text(const control::service_status& each) {
  std::string state = each.state;
  if (!each.health.empty()) state += ", " + each.health;
  if (each.state == "exited") state += " (" + std::to_string(each.exit_code) + ")";
  std::string image = each.image.empty() ? each.wanted_image : each.image;
  if (!each.wanted_image.empty() && !each.image.empty()) image += ", wanted: " + each.wanted_image;
  return std::string("<li class=\"") + (each.ready ? "done" : "failed") + "\"><i></i><div>" +
         element("b", "", each.service) + " " + element("span", "soft", state) + "<p class=\"soft image\">" +
         html_escaped(image) + "</p></div>" + element("span", "time", short_time(each.since)) + "</li>\n";
}

std::string services_text(const control::status& now) {
  if (now.services.empty()) return {};
  std::string text = "<ol class=\"steps\">\n";
  for (const auto& each : now.services) text += service_text(each);
  return section("Services", text + "</ol>\n");
}

std::string past_text(const control::past_upgrade& each) {
  std::string times = "took " + seconds_text(each.seconds);
  if (each.downtime_seconds > 0) times += ", down " + seconds_text(each.downtime_seconds);
  return "<li class=\"" + html_escaped(each.result == "done" ? "done" : "failed") + "\"><i></i><div><b>" +
         html_escaped(each.from.empty() ? "installed " + each.to : each.from + " to " + each.to) + "</b> " +
         element("span", "soft", each.result) + element("p", "soft", times) +
         (each.reason.empty() ? "" : element("p", "soft", each.reason)) + "</div>" +
         element("span", "time", short_time(each.started)) + "</li>\n";
}

std::string history_text(const std::vector<control::past_upgrade>& history) {
  if (history.empty()) return {};
  std::string text = "<ol class=\"steps\">\n";
  std::size_t shown = 0;
  for (auto each = history.rbegin(); each != history.rend() && shown < shown_upgrades; ++each, ++shown)
    text += past_text(*each);
  return section("History", text + "</ol>\n");
}

}  // namespace

std::string status_page(const control::status& now, const std::vector<control::past_upgrade>& history) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"refresh\" content=\"5\">\n<title>" +
         html_escaped(now.phase + " · Dify " + now.deployed) + "</title>\n<style>" + status_style +
         "</style>\n</head>\n<body>\n<main>\n" + head_text(now) + options_text(now) + findings_text(now) +
         operation_text(now) + services_text(now) + facts_text(now) + history_text(history) +
         "</main>\n</body>\n</html>\n";
}

std::string status_json(const control::status& now, const std::vector<control::past_upgrade>& history) {
  auto whole = nlohmann::ordered_json::parse(control::to_json(now));
  whole["history"] = nlohmann::ordered_json::parse(control::to_json(history));
  return whole.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace difyd::supervisor
