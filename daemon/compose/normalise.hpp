// What docker compose fills in by itself (REFERENCE 1.12), on typed values.
#pragma once

#include <difyd/compose/project.hpp>

namespace difyd::compose {

// p.name and p.environment are set; everything else is as decoded.
void normalise(project& p);

}  // namespace difyd::compose
