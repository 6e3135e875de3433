#pragma once

#include <string>
#include <string_view>

namespace difyd {

// As it may be shown: without user and password, and without a query, which may hold a token.
std::string public_url(std::string_view url);

// `mark` in `text` replaced, everywhere.
std::string replaced(std::string text, std::string_view mark, std::string_view by);

}  // namespace difyd
