// Which keys of a release's environment an operator should look at. Pure.
#pragma once

#include "difyd/release/env_diff.hpp"

namespace difyd::release {

// What the installation uses, in Dify's words ("weaviate", "s3"): of the others nothing matters.
struct chosen_services {
  std::string vector_store;
  std::string storage;
};

// "secret", "database", ... and its rank among them, lowest first; "" for the rest.
struct concern {
  std::string_view reason;
  int rank = 99;
};

concern concern_of(std::string_view key, const chosen_services& chosen);

}  // namespace difyd::release
