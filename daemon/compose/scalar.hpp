// Plain scalars as go-yaml v3 reads them and as Go prints them (REFERENCE 1.7).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

// `text` must already live in the workspace.
node resolve_scalar(workspace& w, std::string_view text, place at);

// fmt's %v of a float64: 1.5, 1e+06, 1e-07, +Inf, NaN
std::string go_float(double number);

}  // namespace difyd::compose
