// Keeps `since`: a finding that stays keeps its beginning, one that changes begins anew.
#pragma once

#include <vector>

#include "difyd/model/finding.hpp"

namespace difyd::health {

// `fresh` with the `since` of the same subject and code in `previous`, else `now`. Findings
// of `previous` about subjects that `fresh` does not mention are dropped.
std::vector<finding> keep_since(const std::vector<finding>& previous, std::vector<finding> fresh,
                                wall_time now);

// Replaces what `all` says about the subjects of `fresh`, keeps the rest: for probes that
// run on schedules of their own.
std::vector<finding> replace_subjects(std::vector<finding> all, std::vector<finding> fresh, wall_time now);

}  // namespace difyd::health
