// JSON of the API to values. Pure. Errors: "engine-malformed-answer".
#pragma once

#include "difyd/engine/container.hpp"
#include "difyd/engine/containers.hpp"
#include "difyd/engine/image.hpp"
#include "difyd/engine/network.hpp"
#include "json.hpp"

namespace difyd::engine {

Result<container_summary> decode_summary(const json& value);
Result<container> decode_container(json value);
Result<image> decode_image(json value);
Result<image_summary> decode_image_summary(const json& value);
Result<network> decode_network(const json& value);
Result<volume> decode_volume(const json& value);
Result<exit_status> decode_exit(std::string_view body, const std::string& what);
engine_info decode_info(const json& value);

}  // namespace difyd::engine
