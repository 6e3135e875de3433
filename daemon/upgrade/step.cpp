#include "difyd/upgrade/step.hpp"

#include <array>
#include <utility>

namespace difyd::upgrade {
namespace {

// What a failure of a step means.
enum class failing {
  refuse,    // the old version still serves: end here
  put_back,  // start the old version again, or hold where something irreversible happened
  retry      // enter again, then as put_back
};

struct row {
  step at;
  std::string_view name;
  std::optional<step> then;  // nullopt: the upgrade ends as `end`
  ending end;
  failing otherwise;
};

constexpr std::array<row, 10> table{{
    {step::admit, "admit", step::prepare, ending::held, failing::refuse},
    {step::prepare, "prepare", step::drain, ending::held, failing::refuse},
    {step::drain, "drain", step::stop, ending::held, failing::put_back},
    {step::stop, "stop", step::backup, ending::held, failing::put_back},
    {step::backup, "backup", step::migrate, ending::held, failing::put_back},
    {step::migrate, "migrate", step::start, ending::held, failing::put_back},
    {step::start, "start", step::verify, ending::held, failing::retry},
    {step::verify, "verify", step::commit, ending::held, failing::retry},
    {step::commit, "commit", std::nullopt, ending::done, failing::retry},
    {step::put_back, "put-back", std::nullopt, ending::undone, failing::retry},
}};

const row& row_of(step at) {
  for (const auto& each : table)
    if (each.at == at) return each;
  return table.front();
}

int entered(const std::vector<mark>& journal, step at) {
  int count = 0;
  for (const auto& each : journal) count += each.at == at && each.state == mark_state::begun;
  return count;
}

bool irreversible(const std::vector<mark>& journal) {
  for (const auto& each : journal)
    if (each.irreversible) return true;
  return false;
}

decision end_as(ending end) { return {std::nullopt, end, 0}; }

// Entering is refused once a step has had its attempts.
decision enter(const std::vector<mark>& journal, step at) {
  const int attempt = entered(journal, at) + 1;
  return attempt > max_attempts ? end_as(ending::held) : decision{at, ending::held, attempt};
}

decision go_back(const std::vector<mark>& journal) {
  return irreversible(journal) ? end_as(ending::held) : enter(journal, step::put_back);
}

decision after_failure(const std::vector<mark>& journal, const row& failed) {
  if (failed.otherwise == failing::refuse) return end_as(ending::refused);
  // Going back turned out to be impossible: trying again would not change that.
  if (failed.at == step::put_back && irreversible(journal)) return end_as(ending::held);
  const bool again = failed.otherwise == failing::retry && entered(journal, failed.at) < max_attempts;
  if (again) return enter(journal, failed.at);
  // Committing comes after proof that the new version serves; putting back is the last resort.
  if (failed.at == step::commit || failed.at == step::put_back) return end_as(ending::held);
  return go_back(journal);
}

// Where an abort is still heard: before the migration, and never while going back already.
bool can_abort(step at) { return at < step::migrate; }

}  // namespace

std::string_view to_text(step value) { return row_of(value).name; }

std::optional<step> parse_step(std::string_view text) {
  for (const auto& each : table)
    if (each.name == text) return each.at;
  return std::nullopt;
}

std::string_view to_text(ending value) {
  static constexpr std::array<std::string_view, 4> names{"done", "refused", "undone", "held"};
  return names[static_cast<std::size_t>(value)];
}

std::string_view to_text(mark_state value) {
  static constexpr std::array<std::string_view, 3> names{"begun", "done", "failed"};
  return names[static_cast<std::size_t>(value)];
}

std::optional<mark_state> parse_mark_state(std::string_view text) {
  for (const auto each : {mark_state::begun, mark_state::done, mark_state::failed})
    if (to_text(each) == text) return each;
  return std::nullopt;
}

decision next(const std::vector<mark>& journal, bool abort) {
  if (journal.empty()) return abort ? end_as(ending::refused) : enter(journal, step::admit);
  const mark& last = journal.back();
  const row& at = row_of(last.at);
  if (abort && can_abort(last.at)) return last.at < step::drain ? end_as(ending::refused) : go_back(journal);
  if (last.state == mark_state::begun) return enter(journal, last.at);
  if (last.state == mark_state::failed) return after_failure(journal, at);
  return at.then ? enter(journal, *at.then) : end_as(at.end);
}

}  // namespace difyd::upgrade
