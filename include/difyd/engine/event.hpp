// Events of the engine (GET /events, API 1.41 to 1.51).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "difyd/base/error.hpp"
#include "difyd/engine/container.hpp"

namespace difyd::engine {

struct event {
  std::string type;       // container network volume image daemon
  std::string action;     // start die destroy "health_status: healthy" ...
  std::string id;         // of the container, network, ... (the volume's name)
  string_map attributes;  // of a container: its labels, name, image, exitCode ...
  std::int64_t time_nano = 0;

  // Empty where there is none.
  std::string attribute(const std::string& key) const;
};

// Pure. Error "engine-malformed-answer".
Result<event> decode_event(std::string_view object);

// `since` for a stream opened again after `last`: "<seconds>.<nanoseconds>". The engine repeats
// events of that very moment: drop what is not newer than `last`.
std::string since_text(std::int64_t time_nano);

}  // namespace difyd::engine
