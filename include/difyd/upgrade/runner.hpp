// Carries an upgrade out: asks next(), journals, acts, journals.
#pragma once

#include <vector>

#include "difyd/upgrade/effects.hpp"

namespace difyd::upgrade {

struct outcome {
  ending end = ending::held;
  Error reason;  // the first failure that led here; empty code when done
};

// `journal` is what an earlier process left of this upgrade, empty for a new one.
task<outcome> run(effects& world, std::vector<mark> journal);

}  // namespace difyd::upgrade
