// How difyd-helper is run, and what it answers.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/process.hpp"

namespace difyd::host {

process_spec helper_spec(std::string helper, std::vector<std::string> arguments, std::string input,
                         duration limit);

// Errors: "helper-missing", what the helper says, "share-io" where it says nothing.
Result<std::string> answer_of(Result<process_result> ended);

}  // namespace difyd::host
