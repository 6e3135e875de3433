// What `difyd adopt` says. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adopt_facts.hpp"

namespace difyd::cli {

struct adopt_document {
  std::string config;
  bool written = false;
  installation found;
  release::adoption become;
  std::optional<release::comparison> changes;  // nullopt: the release is not here to compare with
};

// "database" -> "external, 10.30.0.3:5432, role dify": what difyd's own keys say.
std::vector<std::pair<std::string, std::string>> own_keys(const config::settings& settings);

// Commands and what must be done before them, in their order.
std::vector<std::string> next_steps(const adopt_document& document);

std::string render(const adopt_document& document);
std::string to_json(const adopt_document& document);

}  // namespace difyd::cli
