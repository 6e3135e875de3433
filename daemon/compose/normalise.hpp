// What docker compose fills in by itself (REFERENCE 1.12), on typed values.
#pragma once

#include <difyd/compose/project.hpp>

#include "tree.hpp"

namespace difyd::compose {

// p.name and p.environment are set; everything else is as decoded from `model`.
void normalise(project& p, const node& model);

}  // namespace difyd::compose
