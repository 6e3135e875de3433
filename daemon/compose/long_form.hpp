// Short forms -> long forms over a whole document, and the defaults that follow from them.
#pragma once

#include "tree.hpp"

namespace difyd::compose {

// Idempotent: runs after each file that is merged in.
void to_long_form(workspace& w, node& document);

// Port protocol and mode, secret targets, build context, device counts; once, at the end.
void set_defaults(workspace& w, node& document);

}  // namespace difyd::compose
