// The dotenv grammar of docker compose for whoever has the text of an env file in hand
// (REFERENCE 1.4).
#pragma once

#include <difyd/base/error.hpp>
#include <difyd/compose/parts.hpp>
#include <string_view>

namespace difyd::compose {

struct env_text {
  text_map variables;  // what the text itself sets
  text_list warnings;  // variables that it names and nobody sets
};

// `name` stands for the text in errors ("<name>:<line>:<column>"). `environment` is what wins
// inside the text: ${X} and bare names look there first, then at earlier lines. Error code:
// "compose-syntax". Values never appear in errors.
Result<env_text> read_dotenv(std::string_view text, const std::string& name,
                             const text_map& environment = {});

}  // namespace difyd::compose
