// The recorded run of docker compose 2.26.1 on Dify 1.11.4 (tests/stack/recorded): its hash inputs
// give the services, its requests what has to come out.
#pragma once

#include <memory>

#include "difyd/stack/create.hpp"

namespace recorded {

using json = nlohmann::json;

json read(const std::string& name);

// The project of the recorded run, rebuilt from the recorded hash inputs.
std::shared_ptr<difyd::compose::project> dify();

// Without what is empty, and with the lists whose order docker compose leaves to chance sorted.
json comparable(json body);

}  // namespace recorded
