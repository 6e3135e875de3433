// The steps of an upgrade and what comes after which: one visible table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace difyd::upgrade {

// In the order in which a good upgrade passes them; put_back starts the old version again.
enum class step { admit, prepare, drain, stop, backup, migrate, start, verify, commit, put_back };

enum class ending {
  done,     // the new version is committed
  refused,  // nothing was changed, the old version never stopped serving
  undone,   // the old version serves again
  held      // an operator must decide
};

std::string_view to_text(step value);
std::string_view to_text(ending value);
std::optional<step> parse_step(std::string_view text);

enum class mark_state { begun, done, failed };

std::string_view to_text(mark_state value);
std::optional<mark_state> parse_mark_state(std::string_view text);

// One line of the journal, as far as deciding needs it.
struct mark {
  step at = step::admit;
  mark_state state = mark_state::begun;
  // The database moved, or a data service was started with a new image: from here the way
  // is forward or restore (DESIGN section 5, "point of no return").
  bool irreversible = false;
};

struct decision {
  std::optional<step> enter;  // the step to enter, or
  ending end = ending::held;  // how the upgrade ends
  int attempt = 0;            // of the step entered, from 1
};

// A step is entered at most this often, then the upgrade holds.
inline constexpr int max_attempts = 3;

// What to do next, from the journal alone. A step that begun without an end was interrupted
// (the process died): it is entered again, because every step is safe to repeat.
// `abort` asks to go back where that is still possible.
decision next(const std::vector<mark>& journal, bool abort = false);

}  // namespace difyd::upgrade
