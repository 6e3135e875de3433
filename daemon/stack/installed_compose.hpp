// The docker compose that people of this machine use; private to stack.
#pragma once

#include <optional>
#include <string>

#include "difyd/base/error.hpp"
#include "difyd/base/task.hpp"

namespace difyd::stack {

// "2.26.1" of `docker-compose version --short`; empty where it is another kind of text.
std::string version_in(const std::string& output);

// Asks the first docker compose plugin where docker looks for it (docs: CLI plugins, the folders of docker's
// own packages and of the distributions') for its version, for at most two seconds; empty where there is
// none.
task<std::string> installed_compose_version();

}  // namespace difyd::stack
