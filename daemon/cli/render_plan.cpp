// `difyd plan`: what an operator decides on first, what it is made of after that.
#include <algorithm>
#include <cstdio>

#include "difyd/base/text.hpp"
#include "render.hpp"
#include "render_env.hpp"

namespace difyd::cli {
namespace {

using control::plan;
using rows = std::vector<std::vector<std::string>>;

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string some(std::size_t number, const std::string& of) {
  return std::to_string(number) + " " + of + (number == 1 ? "" : "s");
}

std::string seconds_text(double seconds) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  return buffer;
}

// A label and its text, which goes on below itself.
std::string line(const std::string& label, const std::string& text) {
  constexpr std::size_t width = 10;
  if (text.empty()) return {};
  std::string shown = wrapped(text, std::string(width, ' '));
  return shown.replace(0, label.size(), label);
}

// What is to be done to have it, in the order in which it is done: a command that would be refused is none.
std::string to_do_text(const plan& of) {
  if (!of.refused.empty())
    return line("refused", of.refused) + line("first", "mend that, then: difyd plan " + of.to);
  std::vector<std::string> ids, stops;
  std::string command = "do it     difyd upgrade " + of.to + " --plan " + of.hash;
  for (const auto& each : of.advisories) {
    if (!each.acknowledge) continue;
    (each.kind == "stop" ? stops : ids).push_back(each.id);
    command += " --acknowledge " + each.id;
  }
  command += "\n";
  if (!stops.empty())
    return line("first", "what is told below of " + join(stops, ", ") + ", then: difyd plan " + of.to);
  if (ids.empty()) return command + line("before", "nothing has to be acknowledged");
  return line("first", "read, and see to, what is told below of " + join(ids, ", ")) + command;
}

std::string downtime_text(const plan& of) {
  const auto& past = of.downtime;
  if (past.upgrade.empty()) return "not known: no upgrade has been done here yet";
  std::string steps;
  for (const auto& each : past.steps)
    if (each.seconds >= 0.1)
      steps += (steps.empty() ? "" : ", ") + each.step + " " + seconds_text(each.seconds);
  const bool same = past.from == of.from && past.to == of.to;
  return "about " + seconds_text(past.seconds) + ", as " + past.from + " -> " + past.to + " took on " +
         past.started.substr(0, 10) + " (" + steps + ")" + (same ? "" : ", whose migrations were others");
}

std::string schema_text(const control::planned_schema& schema) {
  if (schema.to.empty()) return or_dash(schema.from) + " -> not known: " + schema.unknown;
  const std::string revisions = or_dash(schema.from) + " -> " + schema.to;
  if (!schema.unknown.empty()) return revisions + "; " + schema.unknown;
  if (schema.migrations.empty()) return revisions + " (no migration)";
  std::size_t midway = 0;
  for (const auto& each : schema.migrations) midway += each.commits.empty() ? 0 : 1;
  return revisions + ", " + some(schema.migrations.size(), "migration") + ", " +
         (midway == 0
              ? "none commits midway: a failure leaves the database as it is"
              : std::to_string(midway) + " of them " + (midway == 1 ? "commits" : "commit") + " midway");
}

std::string size_text(std::int64_t bytes) { return bytes_text(static_cast<std::uint64_t>(bytes)); }

std::string disk_text(const plan& of) {
  const auto pulls = std::ranges::count(of.images, false, &control::planned_image::present);
  if (pulls == 0) return "nothing to pull";
  std::string text = some(static_cast<std::size_t>(pulls), "image") + " to pull, ";
  if (of.disk.needed_bytes > 0)
    text += "about " + size_text(of.disk.needed_bytes) + " by what their predecessors take" +
            (of.disk.needed_known ? "" : ", and some that have none");
  else
    text += "whose size is known after the pull";
  return text +
         (of.disk.path.empty() ? "" : "; " + size_text(of.disk.free_bytes) + " free in " + of.disk.path);
}

// What to do about one: where to run what, what to set.
std::string advice(const control::planned_advisory& each, const std::string& to) {
  std::string text;
  for (const auto& command : each.commands)
    text += "      difyd runs in " + each.service +
            (each.kind == "before" ? ", before the stop: " : ", once " + to + " serves: ") + command + "\n";
  if (!each.key.empty())
    text += "      set " + each.key + (each.value.empty() ? "" : " to " + each.value) + "\n";
  return text;
}

std::string advisories_text(const plan& of) {
  std::string binding, notes;
  for (const auto& each : of.advisories) {
    std::string& text = each.acknowledge ? binding : notes;
    text += "  " + each.id + (each.kind == "stop" ? " (stop)" : "") + "\n" + wrapped(each.text, "      ") +
            advice(each, of.to);
    if (!each.source.empty()) text += "      see " + each.source + "\n";
  }
  if (!binding.empty())
    binding = "\nbefore this upgrade; each wants difyd upgrade " + of.to + " --acknowledge ID\n" + binding;
  return binding + (notes.empty() ? "" : "\ngood to know\n" + notes);
}

// Goes on below itself, a little to the right.
std::string item(const std::string& text) { return wrapped(text, "      ").erase(0, 4); }

std::string migrations_text(const control::planned_schema& schema) {
  std::string text;
  for (const auto& each : schema.migrations)
    text += item(each.revision + (each.text.empty() ? "" : "  " + each.text) +
                 (each.commits.empty() ? "" : "  COMMITS MIDWAY (" + each.commits + ")"));
  return text.empty() ? text : "\nmigrations\n" + text;
}

std::string services_text(const plan& of) {
  std::string text;
  for (const auto& each : of.data_services) {
    text += item(each.service + " (" + each.kind + "): " + each.does);
    if (each.kind == "settings") text += wrapped("changed: " + each.is, "      ");
  }
  if (!text.empty()) text = "\ndata services\n" + text;
  if (!of.services_added.empty()) text += "\nnew services\n" + wrapped(join(of.services_added, " "), "  ");
  if (!of.services_removed.empty())
    text += "\nservices no longer there\n" + wrapped(join(of.services_removed, " "), "  ");
  return text;
}

std::string overlay_text(const plan& of) {
  std::string text;
  for (const auto& each : of.overlay) text += item(each.path + " (" + each.change + ")");
  if (text.empty()) return text;
  return "\noverlay files whose published original changed\n" + text +
         wrapped("yours replace them all the same; compare them with " + of.overlay_original, "      ");
}

std::string environment_text(const plan& of) {
  if (of.environment.empty()) return {};
  env_report report{of.from, of.to, !of.from.empty(), {}};
  for (const auto& each : of.environment)
    report.differences.push_back({each.key, env_change_of(each.kind), each.new_key, each.old_default,
                                  each.new_default, each.in_force, each.then_in_force, each.secret,
                                  each.matters});
  std::string text = "\nenvironment: " + counts(report) + "\n" + what_matters(report, "  ");
  if (std::ranges::any_of(of.environment, [](const auto& each) { return each.matters.empty(); }))
    text += "  the others: difyd env diff " + of.from + " " + of.to + "\n";
  return text;
}

std::string carried_text(const plan& of) {
  return of.carried.empty() ? "" : "\ncarried forward\n" + wrapped(join(of.carried, " "), "  ");
}

std::string images_text(const plan& of) {
  rows lines;
  std::size_t others = 0;
  for (const auto& each : of.images) {
    if (each.present && !each.changed) {
      ++others;
      continue;
    }
    const auto at = each.digest.find('@');
    const std::string digest = at == std::string::npos ? each.id : each.digest.substr(at + 1);
    lines.push_back({each.present ? "here" : "pull", each.image, each.bytes > 0 ? size_text(each.bytes) : "",
                     digest.substr(0, 19)});
  }
  std::string text = "\nimages\n" + table(lines, "  ");
  if (others > 0) text += "  here and in use already: " + std::to_string(others) + "\n";
  return text;
}

// That a container which was made is started goes without saying.
bool worth_telling(const control::planned_operation& of) {
  return of.kind != "set restart policy" && !(of.kind == "start container" && of.cause.ends_with("created"));
}

// Which keys of the environment is told above.
std::string short_cause(const std::string& cause) {
  constexpr std::string_view changed = "configuration changed: ", key = "environment.";
  if (!cause.starts_with(changed) || cause.find(key) == std::string::npos) return cause;
  std::vector<std::string> fields = {"environment"};
  for (const auto& word : split(cause.substr(changed.size()), ' '))
    if (!word.starts_with(key) && fields.back() != "and") fields.push_back(word.substr(0, word.find(',')));
  if (fields.back() == "and") fields.back() = "...";
  return std::string(changed) + join(fields, ", ");
}

// Those of one kind and cause are told together.
std::string operations_text(const plan& of) {
  if (of.operations.empty()) return "\nnothing to do\n";
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // kind and cause, targets
  for (const auto& each : of.operations) {
    if (!worth_telling(each)) continue;
    const std::string what = each.kind + " (" + short_cause(each.cause) + ")";
    auto same = std::ranges::find(groups, what, &decltype(groups)::value_type::first);
    if (same == groups.end()) same = groups.insert(groups.end(), {what, {}});
    same->second.push_back(each.service.empty() ? each.target : each.service);
  }
  std::string text = "\noperations\n";
  for (const auto& [what, targets] : groups) text += item(what + ": " + join(targets, " "));
  return text;
}

std::string notes_text(const plan& of) {
  std::string text;
  for (const auto& note : of.notes) text += item(note);
  return text.empty() ? text : "\nnotes\n" + text;
}

}  // namespace

std::string render(const plan& of) {
  const bool upgrade = of.from != of.to;
  std::string text = upgrade ? "plan for " + or_dash(of.from) + " -> " + of.to + "\n"
                             : "plan for " + or_dash(of.to) + " as configured\n";
  if (upgrade) {
    text += to_do_text(of) + line("downtime", downtime_text(of)) + line("back", of.reversible) +
            line("backup", of.backup);
  }
  text += line("schema", schema_text(of.schema)) + line("disk", disk_text(of));
  return text + advisories_text(of) + migrations_text(of.schema) + services_text(of) + overlay_text(of) +
         environment_text(of) + carried_text(of) + images_text(of) + operations_text(of) + notes_text(of);
}

}  // namespace difyd::cli
