// How difyd-helper is run, and what it answers.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/process.hpp"

namespace difyd::host {

process_spec helper_spec(std::string helper, std::vector<std::string> arguments, std::string input,
                         duration limit);

// Nothing is inherited but what says how the network is reached.
void add_network(std::vector<std::string>& environment);

// Errors: "helper-missing", what the helper says, "share-io" where it says nothing.
Result<std::string> answer_of(Result<process_result> ended);

}  // namespace difyd::host
