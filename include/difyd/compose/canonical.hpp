// What `docker compose config --format json|yaml` prints. `$` is written as `$$`, so that the
// text can be loaded again.
#pragma once

#include <difyd/compose/project.hpp>

namespace difyd::compose {

std::string to_json(const project& p);  // indented by two, no newline at the end
std::string to_yaml(const project& p);

}  // namespace difyd::compose
