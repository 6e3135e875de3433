// The configuration of a new installation, with secrets of its own. Pure but for the random source that it is
// given.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "difyd/release/adopt.hpp"

namespace difyd::release {

struct init_facts {
  config::settings wanted;  // what was asked for; the rest at its default
  std::string secrets;      // folder of the secret files
  std::string env_example;  // of the version that is wanted
  name_set named;           // keys that its compose file names
};

struct initial {
  new_configuration made;
  std::vector<std::string> notes;  // sentences for an operator
};

using random_source = std::function<std::string(std::size_t count)>;  // bytes

// Every secret that the release publishes and the wanted services use is made anew; what is external keeps
// the file that was given. Error "environment-invalid".
Result<initial> init(const init_facts& facts, const random_source& random);

// As `openssl rand -base64` writes them.
std::string base64(std::string_view bytes);

}  // namespace difyd::release
