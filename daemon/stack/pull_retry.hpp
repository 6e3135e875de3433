// Which pulls are worth another try, and when; private to stack. Pure.
#pragma once

#include <optional>

#include "difyd/base/error.hpp"
#include "difyd/base/task.hpp"

namespace difyd::stack {

// How long to wait before pulling again after the given attempt (from 1) failed; nullopt where another try
// would end the same way. Networks and registries that falter are asked five times within 15 s; a name that
// is wrong, a password, a full disk and a rate limit are not: trying on would only use up more of the limit.
std::optional<duration> pull_again_after(const Error& error, int attempt);

}  // namespace difyd::stack
