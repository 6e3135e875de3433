// What every probe last found, damped, so that one lost answer turns nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "difyd/model/finding.hpp"

namespace difyd::health {

// How often in a row a subject must be found bad before it counts as bad, and good before it counts as good.
struct damping {
  int failures = 2;
  int successes = 2;
};

// Of one subject after the other: an error that is not confirmed yet is shown as a warning, with its own
// code, so that its time is counted from the first; a bad subject stays bad until it was good often enough.
class damper {
 public:
  // All findings of one look. Subjects that it does not mention are forgotten.
  std::vector<finding> take(std::vector<finding> fresh, damping rules);
  // Whether a subject is about to turn: worth another look soon.
  bool unsettled() const;

 private:
  struct memory {
    bool bad = false;
    int failures = 0;
    int successes = 0;
    std::vector<finding> shown;  // while it is bad
  };
  std::map<std::string, memory> subjects_;
};

class board {
 public:
  // Takes the place of what that probe found before. `since` is kept.
  void put(const std::string& probe, std::vector<finding> fresh, damping rules, wall_time now);
  bool unsettled(const std::string& probe) const;
  bool bad(const std::string& probe) const;  // it shows an error
  // In the order of the probes' names as given to the constructor; others behind them.
  std::vector<finding> all() const;

  explicit board(std::vector<std::string> order) : order_(std::move(order)) {}

 private:
  struct entry {
    damper damped;
    std::vector<finding> shown;
  };
  std::vector<std::string> order_;
  std::map<std::string, entry> probes_;
};

}  // namespace difyd::health
