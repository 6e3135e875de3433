// Interpolation of a whole document, and the casts of the strings that result (REFERENCE 1.6).
#pragma once

#include "template.hpp"
#include "tree.hpp"

namespace difyd::compose {

// Substitutes every string value (never a key) and casts those at typed paths, in place.
void interpolate(workspace& w, node& document, const lookup& find);

// true/false and, with a warning, y yes on n no off; nullopt otherwise.
std::optional<bool> cast_boolean(workspace& w, std::string_view text);

}  // namespace difyd::compose
