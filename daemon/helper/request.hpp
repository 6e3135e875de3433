// One request to a web API. Blocks.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::helper {

bool is_request_verb(const std::vector<std::string>& words);

// request: standard input says what, as JSON: method, url, headers ("Name: value"), body. Nothing of it is in
// the arguments: others see those, and a token is in it. The answer is {"status": 200, "body": "..."}; status
// 0 where none came, with the cause as body. No redirect is followed.
Result<std::string> run_request_verb();

}  // namespace difyd::helper
