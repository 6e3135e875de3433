// Tree -> typed values. Refuses unknown keys and wrong types with their place.
#pragma once

#include <difyd/compose/project.hpp>

#include "tree.hpp"

namespace difyd::compose {

// `document` is in long form, interpolated, with absolute paths.
project decode_project(workspace& w, const node& document);

}  // namespace difyd::compose
