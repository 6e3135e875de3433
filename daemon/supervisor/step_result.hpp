// Results of upgrade steps in one word.
#pragma once

#include <string>
#include <utility>

#include "difyd/upgrade/effects.hpp"

namespace difyd::supervisor {

inline upgrade::step_result good_step(std::string detail, bool irreversible = false) {
  return {true, irreversible, std::move(detail), {}};
}

inline upgrade::step_result failed_step(Error error, bool irreversible = false) {
  return {false, irreversible, {}, std::move(error)};
}

}  // namespace difyd::supervisor
