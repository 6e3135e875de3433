// In which fields a container differs from its service. Values never appear: they may be secrets.
#include <algorithm>

#include "difyd/stack/labels.hpp"
#include "difyd/stack/plan.hpp"

namespace difyd::stack {
namespace {

using json = nlohmann::json;
using names = std::set<std::string>;

json field(const json& object, const char* part, const char* key) {
  const auto found = object.find(part);
  return found != object.end() && found->is_object() ? found->value(key, json()) : json();
}

bool nothing(const json& value) {
  return value.is_null() || ((value.is_array() || value.is_object() || value.is_string()) && value.empty()) ||
         (value.is_number() && value == 0) || (value.is_boolean() && !value.get<bool>());
}

bool same(const json& a, const json& b) { return (nothing(a) && nothing(b)) || a == b; }

json sorted(json list) {
  if (list.is_array()) std::sort(list.begin(), list.end());
  return list;
}

compose::environment_map environment_of(const json& list) {
  compose::environment_map all;
  if (!list.is_array()) return all;
  for (const auto& entry : list) {
    const auto text = entry.get<std::string>();
    const auto equals = text.find('=');
    all[text.substr(0, equals)] =
        equals == std::string::npos ? std::nullopt : std::optional(text.substr(equals + 1));
  }
  return all;
}

// What docker puts beneath every environment for the client's proxies: of one more the file says nothing.
bool is_proxy(std::string_view name) {
  static constexpr std::string_view all[] = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",    "FTP_PROXY",
                                             "ALL_PROXY",  "http_proxy",  "https_proxy", "no_proxy",
                                             "ftp_proxy",  "all_proxy"};
  return std::find(std::begin(all), std::end(all), name) != std::end(all);
}

void compare_environment(names& changed, const json& wanted, const json& has, const observed_image* image) {
  const auto want = environment_of(wanted);
  const auto is = environment_of(has);
  const auto of_image = image == nullptr ? compose::environment_map() : environment_of(image->environment);
  for (const auto& [key, value] : want) {
    const auto found = is.find(key);
    if (value ? found == is.end() || found->second != value : found != is.end())
      changed.insert("environment." + key);
  }
  // Without the image that it was made from (another one is wanted now) nobody can tell what the
  // image itself brought along.
  if (image == nullptr) return;
  for (const auto& [key, value] : is)
    if (!want.contains(key) && !of_image.contains(key) && !is_proxy(key))
      changed.insert("environment." + key);
}

void compare_labels(names& changed, const json& wanted, const compose::text_map& has) {
  for (const auto& [key, value] : wanted.items()) {
    if (key.starts_with("com.docker.compose.")) continue;
    const auto found = has.find(key);
    if (found == has.end() || found->second != value.get<std::string>()) changed.insert("labels." + key);
  }
  if (wanted.value(label::depends_on, "") != "" || has.contains(label::depends_on)) {
    const auto want = parse_depends_on(wanted.value(label::depends_on, ""));
    const auto is = has.find(label::depends_on);
    if (want != parse_depends_on(is == has.end() ? "" : is->second)) changed.insert("depends_on");
  }
}

struct compared_field {
  const char* part;
  const char* key;
  const char* name;  // in the compose file
};

constexpr compared_field compared[] = {
    {"Config", "Image", "image"},
    {"Config", "User", "user"},
    {"Config", "WorkingDir", "working_dir"},
    {"Config", "Tty", "tty"},
    {"Config", "StopSignal", "stop_signal"},
    {"Config", "StopTimeout", "stop_grace_period"},
    {"HostConfig", "PortBindings", "ports"},
    {"HostConfig", "RestartPolicy", "restart"},
    {"HostConfig", "NetworkMode", "network_mode"},
    {"HostConfig", "Privileged", "privileged"},
    {"HostConfig", "ReadonlyRootfs", "read_only"},
    {"HostConfig", "Memory", "mem_limit"},
    {"HostConfig", "NanoCpus", "cpus"},
    {"HostConfig", "Tmpfs", "tmpfs"},
    {"HostConfig", "ExtraHosts", "extra_hosts"},
    {"HostConfig", "CapAdd", "cap_add"},
    {"HostConfig", "CapDrop", "cap_drop"},
    {"HostConfig", "Sysctls", "sysctls"},
};

// What a container has from its image where the service says nothing is no difference.
bool from_image(const char* key, const json& wanted) {
  const std::string_view name = key;
  return nothing(wanted) && (name == "User" || name == "WorkingDir" || name == "StopSignal" ||
                             name == "StopTimeout" || name == "NetworkMode");
}

json normal(const char* key, json value) {
  if (std::string_view(key) != "RestartPolicy" || !value.is_object()) return value;
  if (value.value("Name", "") == "") value["Name"] = "no";
  if (value.value("MaximumRetryCount", 0) == 0) value.erase("MaximumRetryCount");
  return value;
}

}  // namespace

std::vector<std::string> differences(const compose::project& p, const compose::service& s,
                                     const observed_container& container, const observed& now) {
  if (!container.details) return {};
  create_context c;
  c.project = &p;
  c.service = s.name;
  c.number = container.number;
  c.dialect = dialect_of(container.label(label::version));
  for (const auto& [name, other] : p.services)
    if (const auto existing = containers_of(now, name); !existing.empty())
      c.container_ids[name] = existing[0]->id;
  const auto request = create_container_request(c);
  if (!request) return {};
  const json& has = *container.details;
  const json wanted = {{"Config", request->body}, {"HostConfig", request->body["HostConfig"]}};

  names changed;
  const auto image = now.images.find(container.image);
  compare_environment(changed, field(wanted, "Config", "Env"), field(has, "Config", "Env"),
                      image == now.images.end() ? nullptr : &image->second);
  compare_labels(changed, request->body["Labels"], container.labels);
  for (const auto& [part, key, name] : compared) {
    const json want = normal(key, field(wanted, part, key));
    const json is = normal(key, field(has, part, key));
    // difyd itself sets the policy "no" after creation, which says nothing about the file.
    if (std::string_view(key) == "RestartPolicy" && is.is_object() && is.value("Name", "") == "no") continue;
    if (!from_image(key, want) && !same(want, is)) changed.insert(name);
  }
  for (const auto& [key, name] : {std::pair("Cmd", "command"), std::pair("Entrypoint", "entrypoint")})
    if (request->body.contains(key) && !same(request->body[key], field(has, "Config", key)))
      changed.insert(name);
  for (const auto* key : {"Binds", "Mounts"})
    if (!same(sorted(field(wanted, "HostConfig", key)), sorted(field(has, "HostConfig", key))))
      changed.insert("volumes");
  if (request->body.contains("Healthcheck") &&
      !same(field(wanted["Config"], "Healthcheck", "Test"), field(has["Config"], "Healthcheck", "Test")))
    changed.insert("healthcheck");
  return {changed.begin(), changed.end()};
}

}  // namespace difyd::stack
