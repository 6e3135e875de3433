#pragma once

#include <string>
#include <string_view>

namespace difyd {

// Lower-case hexadecimal SHA-256.
std::string sha256_hex(std::string_view bytes);

}  // namespace difyd
