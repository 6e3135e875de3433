// What a value may be beyond its type: the enumerations, ranges and required keys of the compose
// specification's JSON schema (compose-go v2.9.1, schema/compose-spec.json), as one table.
#pragma once

#include "tree.hpp"

namespace difyd::compose {

// `model` in long form.
void check_constraints(const workspace& w, const node& model);

}  // namespace difyd::compose
