#include "recorded.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "difyd/base/text.hpp"
#include "source_dir.hpp"

namespace recorded {

using namespace difyd;

json read(const std::string& name) {
  std::ifstream in(source_dir() + "/tests/stack/recorded/" + name);
  if (!in) throw std::runtime_error("cannot read recorded " + name);
  return json::parse(in);
}

namespace {

compose::service service_of(const std::string& name) {
  const json from = read(name + ".hash-input.json");
  compose::service s;
  s.name = name;
  s.image = from.value("image", "");
  s.restart = from.value("restart", "");
  for (const char* key : {"command", "entrypoint"})
    if (from.contains(key) && !from[key].is_null())
      (std::string(key) == "command" ? s.command : s.entrypoint) = from[key].get<compose::text_list>();
  for (const auto& [key, value] : from.value("environment", json::object()).items())
    s.environment[key] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
  for (const auto& [key, value] : from.value("depends_on", json::object()).items())
    s.depends_on[key] = {value["condition"], value.value("restart", false), value.value("required", true)};
  if (from.contains("healthcheck")) {
    s.healthcheck.emplace();
    s.healthcheck->test = from["healthcheck"]["test"].get<compose::text_list>();
  }
  for (const auto& [key, value] : from.value("networks", json::object()).items())
    s.networks[key] = std::nullopt;
  for (const auto& port : from.value("ports", json::array())) {
    compose::service_port p;
    p.mode = port.value("mode", "");
    p.target = port["target"];
    p.published = port.value("published", "");
    p.protocol = port.value("protocol", "");
    s.ports.push_back(p);
  }
  for (const auto& mount : from.value("volumes", json::array())) {
    compose::service_mount m;
    m.type = mount["type"];
    m.source = mount.value("source", "");
    m.target = mount["target"];
    m.bind.emplace();
    m.bind->create_host_path = mount["bind"].value("create_host_path", false);
    s.volumes.push_back(m);
  }
  return s;
}

bool nothing(const json& value) {
  if (value.is_null()) return true;
  if (value.is_string() || value.is_array() || value.is_object()) return value.empty() || value == "";
  if (value.is_boolean()) return !value.get<bool>();
  return value.is_number() && value == 0;
}

json prune(const json& value) {
  if (value.is_object()) {
    json out = json::object();
    for (const auto& [key, each] : value.items())
      if (json kept = prune(each); !nothing(kept)) out[key] = std::move(kept);
    return out;
  }
  if (!value.is_array()) return value;
  json out = json::array();
  for (const auto& each : value) out.push_back(prune(each));
  return out == json::array({0, 0}) ? json() : out;
}

}  // namespace

std::shared_ptr<compose::project> dify() {
  auto p = std::make_shared<compose::project>();
  p->name = "ra-dify";
  p->working_dir = "/srv/dify/docker";
  p->compose_files = {"/srv/dify/docker/docker-compose.yaml"};
  for (const char* name : {"api", "init_permissions", "nginx", "plugin_daemon", "redis", "sandbox",
                           "ssrf_proxy", "web", "worker", "worker_beat"})
    p->services[name] = service_of(name);
  p->networks["default"].name = "ra-dify_default";
  auto& internal = p->networks["ssrf_proxy_network"];
  internal.name = "ra-dify_ssrf_proxy_network";
  internal.driver = "bridge";
  internal.internal = true;
  p->volumes["dify_es01_data"].name = "ra-dify_dify_es01_data";
  return p;
}

json comparable(json body) {
  body = prune(body);
  const auto sort = [](json& list) { std::sort(list.begin(), list.end()); };
  if (body.contains("Env")) sort(body["Env"]);
  if (body.contains("HostConfig"))
    for (const char* key : {"Binds", "Mounts"})
      if (body["HostConfig"].contains(key)) sort(body["HostConfig"][key]);
  if (body.contains("Labels") && body["Labels"].contains("com.docker.compose.depends_on")) {
    auto parts = split(body["Labels"]["com.docker.compose.depends_on"].get<std::string>(), ',');
    std::sort(parts.begin(), parts.end());
    body["Labels"]["com.docker.compose.depends_on"] = join(parts, ",");
  }
  return body;
}

}  // namespace recorded
