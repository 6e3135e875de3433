// The order in which go-yaml v3 writes the keys of a map: numbers inside keys count as numbers
// (b9 before b10), and what is no letter comes before letters (USE_X before USED).
#pragma once

#include <string_view>

namespace difyd::compose {

bool key_before(std::string_view a, std::string_view b);

}  // namespace difyd::compose
