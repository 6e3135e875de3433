#include "difyd/health/judge.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace difyd::health {
namespace {

// Row 3: only what belongs to this machine. A share, a database, a registry or an image that
// is broken is broken for the next machine too.
constexpr std::array<std::string_view, 6> replaceable{
    "boot-disk-full", "boot-inodes-full", "boot-disk-read-only",
    "engine-dead",    "mount-hung-here",  "mount-missing-here",
};

struct question {
  const std::vector<finding>& findings;
  const situation& now_is;
  const policy& rules;
  wall_time now;
  const memory& past;
};

verdict make(const question& asked, int row, answer healthz, answer readyz, std::string reason) {
  return {healthz, readyz, row, std::move(reason), asked.now_is.current, asked.now};
}

bool older_than(wall_time since, wall_time now, std::chrono::seconds age) {
  return since != wall_time{} && now - since >= age;
}

bool past_grace(const finding& each, const question& asked) {
  const auto found = asked.rules.grace_of.find(each.code);
  return older_than(each.since, asked.now,
                    found == asked.rules.grace_of.end() ? asked.rules.replace_grace : found->second);
}

// The findings that would call for a new VM, past their grace.
std::vector<const finding*> fatal(const question& asked) {
  std::vector<const finding*> result;
  for (const auto& each : asked.findings)
    if (may_replace(each) && past_grace(each, asked)) result.push_back(&each);
  return result;
}

enum class asked_before { never, by_us, elsewhere };

asked_before who_asked(const finding& each, const question& asked) {
  const auto key = replacement_key(each);
  auto result = asked_before::never;
  for (const auto& record : asked.past.asked) {
    if (record.finding != key || asked.now - record.asked >= asked.rules.replace_at_most_every) continue;
    if (record.machine != asked.past.machine) return asked_before::elsewhere;
    result = asked_before::by_us;
  }
  return result;
}

// Row 1. A migration must never lose its VM, whatever else is wrong. A begin in the future
// is a clock that was set back: it protects as well.
std::optional<verdict> migrating(const question& asked) {
  const auto& begun = asked.now_is.migrate_begun;
  const bool young = begun && asked.now - *begun < asked.rules.migrate_window;
  if (!asked.now_is.migrator_session && !young) return std::nullopt;
  return make(asked, 1, answer::ok, answer::maintenance,
              asked.now_is.migrator_session
                  ? "a database migration is in progress"
                  : "a database migration was begun lately, and its upgrade has no end yet");
}

// Row 2. A machine that replaced another and meets the same finding was no cure. Without
// the record nothing can be counted, so nothing is asked for.
std::optional<verdict> no_cure(const question& asked, const std::vector<const finding*>& found) {
  if (found.empty()) return std::nullopt;
  if (!asked.past.known)
    return make(asked, 2, answer::ok, answer::unavailable,
                found.front()->subject + " has failed, and " +
                    (asked.past.why_not.empty() ? "the record of earlier replacements cannot be read"
                                                : asked.past.why_not));
  for (const auto* each : found)
    if (who_asked(*each, asked) == asked_before::elsewhere)
      return make(asked, 2, answer::ok, answer::unavailable,
                  each->subject + " has failed, and a new machine was already tried for it");
  return std::nullopt;
}

// Row 3. Until the request is on record /healthz stays 200.
judgement replace_me(const question& asked, const std::vector<const finding*>& found) {
  for (const auto* each : found)
    if (who_asked(*each, asked) == asked_before::by_us)
      return {
          make(asked, 3, answer::unavailable, answer::unavailable, each->subject + " has failed for good"),
          {}};
  const auto& first = *found.front();
  return {make(asked, 3, answer::ok, answer::unavailable,
               first.subject + " has failed; a new machine is about to be asked for"),
          replacement{replacement_key(first), asked.past.machine, asked.now}};
}

std::optional<verdict> maintaining(const question& asked) {
  const auto row = [&](const char* reason) {
    return make(asked, 4, answer::ok, answer::maintenance, reason);
  };
  if (asked.now_is.current == phase::upgrading) return row("an upgrade is in progress");
  if (asked.now_is.current == phase::holding) return row("an operator has to decide");
  if (asked.now_is.maintenance) return row("maintenance was switched on");
  return std::nullopt;
}

std::optional<verdict> not_serving(const question& asked) {
  const auto row = [&](const char* reason) {
    return make(asked, 5, answer::ok, answer::unavailable, reason);
  };
  if (asked.now_is.current == phase::stopped) return row("stopped by the operator");
  if (!asked.now_is.configuration_valid) return row("the configuration is not valid");
  // Another machine has it, or the server does not answer: the phase's message says which.
  if (asked.now_is.current == phase::waiting_for_lease) return row("waiting for the database lease");
  if (asked.now_is.current != phase::starting) return std::nullopt;
  const bool late = older_than(asked.now_is.phase_since, asked.now, asked.rules.start_bound);
  return row(late ? "starting takes longer than it should" : "starting");
}

std::optional<verdict> dependency_away(const question& asked) {
  const finding* first = nullptr;
  for (const auto& each : asked.findings) {
    // What runs goes on without the engine; whether it answers is for the probes of Dify itself to say.
    if (each.subject == "engine") continue;
    const bool lasting = asked.rules.unready_grace.count() == 0 ||
                         older_than(each.since, asked.now, asked.rules.unready_grace);
    if (each.level >= severity::error && lasting && (!first || each.level > first->level)) first = &each;
  }
  if (!first) return std::nullopt;
  return make(asked, 6, answer::ok, answer::unavailable, first->subject + " is not available");
}

}  // namespace

std::string replacement_key(const finding& each) { return each.subject + "/" + each.code; }

bool may_replace(const finding& each) {
  return each.new_vm_helps && each.level == severity::critical &&
         std::find(replaceable.begin(), replaceable.end(), each.code) != replaceable.end();
}

judgement judge(const std::vector<finding>& findings, const situation& now_is, const policy& rules,
                wall_time now, const memory& past) {
  const question asked{findings, now_is, rules, now, past};
  if (auto given = migrating(asked)) return {*given, {}};
  const auto found = fatal(asked);
  if (auto given = no_cure(asked, found)) return {*given, {}};
  if (!found.empty()) return replace_me(asked, found);
  if (auto given = maintaining(asked)) return {*given, {}};
  if (auto given = not_serving(asked)) return {*given, {}};
  if (auto given = dependency_away(asked)) return {*given, {}};
  return {make(asked, 7, answer::ok, answer::ok, "serving"), {}};
}

}  // namespace difyd::health
