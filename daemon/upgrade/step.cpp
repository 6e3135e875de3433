#include "difyd/upgrade/step.hpp"

#include <array>
#include <utility>

namespace difyd::upgrade {
namespace {

// What a failure of a step means.
enum class failing {
  refuse,    // the old version still serves: end here
  put_back,  // start the old version again, or hold where something irreversible happened
  retry      // enter `again`, then as put_back
};

// What an abort means while the step is the last one of the journal.
enum class aborting {
  refuse,  // nothing was changed: end here
  back,    // the step is interrupted, and the old version put back
  after,   // as back, but the step is ended first: only its end tells whether going back is possible
  never    // not heard
};

struct row {
  step at;
  std::string_view name;
  std::optional<step> then;  // nullopt: the upgrade ends as `end`
  ending end;
  failing otherwise;
  step again;  // where a retry begins: what fell since the start is started again
  aborting abort;
};

constexpr std::array<row, 10> table{{
    {step::admit, "admit", step::prepare, ending::held, failing::refuse, step::admit, aborting::refuse},
    {step::prepare, "prepare", step::drain, ending::held, failing::refuse, step::prepare, aborting::refuse},
    {step::drain, "drain", step::stop, ending::held, failing::put_back, step::drain, aborting::back},
    {step::stop, "stop", step::backup, ending::held, failing::put_back, step::stop, aborting::after},
    {step::backup, "backup", step::migrate, ending::held, failing::put_back, step::backup, aborting::back},
    {step::migrate, "migrate", step::start, ending::held, failing::put_back, step::migrate, aborting::never},
    {step::start, "start", step::verify, ending::held, failing::retry, step::start, aborting::never},
    {step::verify, "verify", step::commit, ending::held, failing::retry, step::start, aborting::never},
    {step::commit, "commit", std::nullopt, ending::done, failing::retry, step::start, aborting::never},
    {step::put_back, "put-back", std::nullopt, ending::undone, failing::retry, step::put_back,
     aborting::never},
}};

const row& row_of(step at) {
  for (const auto& each : table)
    if (each.at == at) return each;
  return table.front();
}

int count(const std::vector<mark>& journal, step at, mark_state state) {
  int result = 0;
  for (const auto& each : journal) result += each.at == at && each.state == state;
  return result;
}

int failures(const std::vector<mark>& journal, step at) { return count(journal, at, mark_state::failed); }

int interruptions(const std::vector<mark>& journal, step at) {
  return count(journal, at, mark_state::begun) - count(journal, at, mark_state::done) - failures(journal, at);
}

bool irreversible(const std::vector<mark>& journal) {
  for (const auto& each : journal)
    if (each.irreversible) return true;
  return false;
}

decision end_as(ending end) { return {std::nullopt, end, 0}; }

// Entering is refused once a step has had its attempts.
decision enter(const std::vector<mark>& journal, step at) {
  const int failed = failures(journal, at);
  if (failed >= max_attempts || interruptions(journal, at) >= max_interruptions) return end_as(ending::held);
  return {at, ending::held, failed + 1};
}

decision go_back(const std::vector<mark>& journal) {
  return irreversible(journal) ? end_as(ending::held) : enter(journal, step::put_back);
}

decision after_failure(const std::vector<mark>& journal, const row& failed) {
  if (failed.otherwise == failing::refuse) return end_as(ending::refused);
  // Going back turned out to be impossible: trying again would not change that.
  if (failed.at == step::put_back && irreversible(journal)) return end_as(ending::held);
  if (failed.otherwise == failing::retry && failures(journal, failed.at) < max_attempts)
    return enter(journal, failed.again);
  // Committing comes after proof that the new version serves; putting back is the last resort.
  if (failed.at == step::commit || failed.at == step::put_back) return end_as(ending::held);
  return go_back(journal);
}

bool hears_abort(const std::vector<mark>& journal) {
  const auto how = row_of(journal.back().at).abort;
  if (how == aborting::refuse) return true;
  if (how == aborting::never || irreversible(journal)) return false;
  return how != aborting::after || journal.back().state != mark_state::begun;
}

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
  if (abort && hears_abort(journal))
    return at.abort == aborting::refuse ? end_as(ending::refused) : go_back(journal);
  if (last.state == mark_state::begun) return enter(journal, last.at);
  if (last.state == mark_state::failed) return after_failure(journal, at);
  return at.then ? enter(journal, *at.then) : end_as(at.end);
}

bool abort_interrupts(step at, bool irreversible) {
  const auto how = row_of(at).abort;
  return how == aborting::refuse || (how == aborting::back && !irreversible);
}

}  // namespace difyd::upgrade
