// Runs of the model: one script from the start to where difyd rests, and what was violated.
#pragma once

#include <string>

#include "world.hpp"

namespace difyd::modelled {

struct outcome_of_run {
  std::string violated;  // empty: nothing
  std::string trace;     // where asked for
  std::string end;       // "serving 2", "holding", ...
  bool moved = false;    // the database
  int points = 0;
};

outcome_of_run drive(const scenario& plan, const script& acts, defect wrong = defect::none,
                     bool tracing = false);

// The same violation with fewer acts.
script shrunk(const scenario& plan, script acts, defect wrong);

std::string to_text(const scenario& plan);
std::string to_text(const script& acts);

}  // namespace difyd::modelled
