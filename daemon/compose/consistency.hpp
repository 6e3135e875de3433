// What must hold between the parts of a project (REFERENCE 1.14).
#pragma once

#include <difyd/compose/project.hpp>

#include "tree.hpp"

namespace difyd::compose {

// `model` is the tree that `p` was decoded from: it knows the places. Throws broken.
void check_consistency(const workspace& w, const node& model, const project& p);

}  // namespace difyd::compose
