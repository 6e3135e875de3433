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
  std::string detail{};  // of a failure, its sentence: the reason of an ending that a later process comes to
};

struct decision {
  std::optional<step> enter;  // the step to enter, or
  ending end = ending::held;  // how the upgrade ends
  int attempt = 0;            // of the step entered, from 1: failures so far and one
};

// A step that failed this often is not entered again.
inline constexpr int max_attempts = 3;
// A begin without an end is an interruption: the process died, which says nothing about the step,
// and so it has a count of its own. It is bounded because a step may be what ends the process.
inline constexpr int max_interruptions = 10;

// What to do next, from the journal alone. An interrupted step is entered again, because every
// step is safe to repeat. `abort` asks to go back; it is not heard where that is impossible: from
// the migration on, while going back, and past the point of no return once something was touched.
decision next(const std::vector<mark>& journal, bool abort = false);

// Whether an abort ends the step at once; where it does not, it is heard after the step, or not at all.
// `irreversible`: the point of no return is passed, be it by a held upgrade that this one replaces. What has
// touched nothing yet is ended all the same.
bool abort_interrupts(step at, bool irreversible);

}  // namespace difyd::upgrade
