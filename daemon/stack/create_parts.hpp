// The parts of a container create request; private to stack.
#pragma once

#include "difyd/stack/create.hpp"
#include "difyd/stack/labels.hpp"

namespace difyd::stack {

using json = nlohmann::json;

// Leaves out what is empty, so that bodies stay readable and comparable.
template <class T>
void put(json& object, const char* key, const T& value) {
  if constexpr (requires { value.empty(); }) {
    if (!value.empty()) object[key] = value;
  } else {
    if (value != T{}) object[key] = value;
  }
}

inline const compose::service& service_of(const create_context& c) {
  return c.project->services.at(c.service);
}

// The name that the container has in the end, whatever it is made under.
std::string final_name_of(const create_context& c);

// The service as it is hashed and created: namespaces of other services replaced by container ids,
// inactive dependencies gone, a one-off's own wishes applied.
Result<compose::service> resolved_service(const create_context& c);

json config_part(const create_context& c, const compose::service& s);
json labels_part(const create_context& c, const compose::service& s, const std::string& hash);
Result<json> host_part(const create_context& c, const compose::service& s);
// "vendor.com/class=name" (Container Device Interface): not a path, but something to request.
bool is_device_name(const compose::device_mapping& device);
void put_resources(json& host, const create_context& c, const compose::service& s);
Result<> put_mounts(json& host, const create_context& c, const compose::service& s);

struct network_part {
  std::string mode;
  json networking;  // EndpointsConfig of the create call
  std::vector<network_connect> connects;
};
network_part networks_of(const create_context& c, const compose::service& s);
compose::text_list links_of(const create_context& c, const compose::service& s);

}  // namespace difyd::stack
