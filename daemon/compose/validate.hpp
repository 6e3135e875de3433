// Rules across the fields of one resource, checked on the merged tree (REFERENCE 1.14).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

void validate(const workspace& w, const node& model);

}  // namespace difyd::compose
