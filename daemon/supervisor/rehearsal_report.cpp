#include "rehearsal_report.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::size_t longest_name = 63, told = 10;
constexpr std::string_view mark = "_rehearsal_";

std::string seconds_text(double seconds) {
  return to_text(std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds)));
}

std::size_t strength(std::string_view mode) {
  constexpr std::array<std::string_view, 4> weakest_first = {"ShareLock", "ShareRowExclusiveLock",
                                                             "ExclusiveLock", "AccessExclusiveLock"};
  return static_cast<std::size_t>(std::ranges::find(weakest_first, mode) - weakest_first.begin());
}

}  // namespace

std::string scratch_name(const std::string& database, const std::string& share, const std::string& id) {
  const auto suffix = std::string(mark) + sha256_hex(share).substr(0, 8) + "_" + id.substr(0, 8);
  return database.substr(0, longest_name - suffix.size()) + suffix;
}

bool is_scratch(const std::string& name, const std::string& database, const std::string& share) {
  const auto id = name.substr(name.size() - std::min<std::size_t>(8, name.size()));
  return std::ranges::all_of(id, [](unsigned char c) { return std::isxdigit(c) != 0; }) &&
         name == scratch_name(database, share, id);
}

void migration_times::line(std::string_view line, clock::time_point at) {
  static const std::regex form(R"(Running upgrade (?:[^ ]* )?-> ([0-9A-Za-z_]+)(?:, (.*))?)");
  std::match_results<std::string_view::const_iterator> found;
  if (!std::regex_search(line.begin(), line.end(), found, form)) return;
  end(at);
  all_.push_back({found[1].str(), std::string(trim(found[2].str())), 0});
  begun_ = at;
}

void migration_times::end(clock::time_point at) {
  if (!all_.empty() && all_.back().seconds == 0)
    all_.back().seconds = std::chrono::duration<double>(at - begun_).count();
}

void lock_times::sample(const std::vector<database::table_lock>& locks, double since_last) {
  std::map<std::string, std::string> now;
  for (const auto& each : locks) {
    auto& mode = now[each.table];
    if (mode.empty() || strength(mode) < strength(each.mode)) mode = each.mode;
  }
  for (const auto& [table, mode] : now) {
    auto& known = all_[table];
    if (known.mode.empty() || strength(known.mode) < strength(mode)) known.mode = mode;
    known.seconds += since_last;
  }
}

bool succeeded(const rehearsal& of) { return of.exit_code == 0 && of.after == of.head; }

std::string verdict_of(const rehearsal& of) {
  const std::string copy = "on a copy of backup " + of.backup +
                           (of.server.empty() ? "" : " on the server " + of.server) + " (" +
                           bytes_text(of.dump_bytes) + ", loaded in " + seconds_text(of.load_seconds) + ")";
  if (of.exit_code != 0)
    return "the migration to " + of.to.text() + " FAILED after " + seconds_text(of.seconds) + " " + copy +
           " (exit code " + std::to_string(of.exit_code) + "): " + of.cause;
  if (of.after != of.head)
    return "the migration to " + of.to.text() + " ended " + copy + " with revision " +
           (of.after.empty() ? "none" : of.after.id) + " where the image's head is " + of.head.id;
  return "the migration to " + of.to.text() + " took " + seconds_text(of.seconds) + " " + copy + ": " +
         (of.before.empty() ? "empty" : of.before.id) + " -> " + of.after.id;
}

std::vector<std::string> details_of(const rehearsal& of) {
  std::vector<std::string> lines;
  auto slowest = of.migrations;
  std::ranges::stable_sort(slowest, std::greater{}, &migration_times::timed::seconds);
  const auto more = slowest.size() - std::min(slowest.size(), told);
  slowest.resize(slowest.size() - more);
  for (const auto& each : slowest)
    lines.push_back("migration " + each.revision + ": " + seconds_text(each.seconds) +
                    (each.text.empty() ? "" : ", " + each.text));
  if (more > 0) lines.push_back("and " + std::to_string(more) + " shorter ones");
  if (of.locks.empty())
    lines.push_back("no table was locked for longer than about " + to_text(locks_interval));
  for (const auto& [table, held] : of.locks)
    lines.push_back("table " + table + ": " + held.mode + " for about " + seconds_text(held.seconds));
  return lines;
}

}  // namespace difyd::supervisor
