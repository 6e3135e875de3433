// Carries an upgrade out: asks next(), journals, acts, journals.
#pragma once

#include <vector>

#include "difyd/upgrade/effects.hpp"

namespace difyd::upgrade {

struct outcome {
  ending end = ending::held;
  Error reason;  // the first failure that led here, in an earlier process too; never empty but when done
};

// What decides; tests put a wrong one in its place to see that it is found out.
using decider = decision (*)(const std::vector<mark>& journal, bool abort);

// `journal` is what an earlier process left of this upgrade, empty for a new one.
task<outcome> run(effects& world, std::vector<mark> journal, decider decide = next);

}  // namespace difyd::upgrade
