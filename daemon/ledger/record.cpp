#include "difyd/ledger/record.hpp"

#include <algorithm>

namespace difyd::ledger {

std::string_view to_text(entry_state value) {
  switch (value) {
    case entry_state::begin:
      return "begin";
    case entry_state::done:
      return "done";
    case entry_state::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_text(ending value) {
  switch (value) {
    case ending::done:
      return "done";
    case ending::undone:
      return "undone";
    case ending::held:
      return "held";
  }
  return "held";
}

std::string_view to_text(restore_stage value) {
  switch (value) {
    case restore_stage::loading:
      return "loading";
    case restore_stage::swapping:
      return "swapping";
    case restore_stage::finishing:
      return "finishing";
  }
  return "finishing";
}

std::vector<step_time> times_of(const std::vector<journal_entry>& entries) {
  std::vector<step_time> steps;
  for (const auto& entry : entries) {
    // A step that is entered again after a crash gets a line of its own.
    const bool opens = entry.state == entry_state::begin || steps.empty() || steps.back().step != entry.step;
    if (opens) steps.push_back({entry.step, entry.state, entry.at, entry.at});
    steps.back().state = entry.state;
    steps.back().ended = entry.at;
  }
  return steps;
}

}  // namespace difyd::ledger
