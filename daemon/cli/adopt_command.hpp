// `difyd adopt`.
#pragma once

#include "adopt_facts.hpp"
#include "context.hpp"

namespace difyd::cli {

int adopt(const options& given, const adopt_wish& wish);

}  // namespace difyd::cli
