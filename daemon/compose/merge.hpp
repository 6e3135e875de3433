// How one compose file is laid over another (REFERENCE 1.8).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

// Lays `over` on `base`; positions of what was taken stay those of its own file.
void merge_documents(workspace& w, node& base, node over);
// The same for a service that extends another.
void merge_services(workspace& w, node& base, node over);

// Removes what is declared twice in keyed lists (environment, ports, volumes, ...): the later
// one takes the place of the first.
void drop_duplicates(workspace& w, node& document);

}  // namespace difyd::compose
