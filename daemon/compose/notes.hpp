// What a file asks for and a supervisor has no use for.
#pragma once

#include <difyd/compose/project.hpp>

#include "tree.hpp"

namespace difyd::compose {

// Warns of each such key of an active service, with its place.
void note_ignored(workspace& w, const node& model, const project& p);

}  // namespace difyd::compose
