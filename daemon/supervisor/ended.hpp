// How an operation ended.
#pragma once

#include <string>
#include <utility>

#include "difyd/base/error.hpp"

namespace difyd::supervisor {

struct ended {
  std::string result;  // done, failed, refused, undone, held
  std::string text;    // of done
  Error error;         // of the others
};

inline ended done_as(std::string text) { return {"done", std::move(text), {}}; }
inline ended failed_with(Error error) { return {"failed", {}, std::move(error)}; }

}  // namespace difyd::supervisor
