#include "normalise.hpp"

#include <algorithm>
#include <set>

#include "mounts.hpp"

namespace difyd::compose {
namespace {

constexpr std::string_view service_prefix = "service:";

// An empty network_mode, such as "${MODE:-}", is one: the service has no networks then.
bool names_network_mode(const node& model, std::string_view service) {
  const node* services = model.find("services");
  const node* declared = services ? services->find(service) : nullptr;
  return declared && declared->find("network_mode");
}

void join_default_network(service& s, const node& model) {
  if (s.networks.empty() && !s.provider && !names_network_mode(model, s.name))
    s.networks.emplace("default", std::nullopt);
}

void depend_on(service& s, std::string_view other, bool restart) {
  s.depends_on.try_emplace(std::string(other), dependency{"service_started", restart, true});
}

void infer_dependencies(service& s) {
  for (const auto& link : s.links)
    depend_on(s, std::ranges::count(link, ':') == 1 ? link.substr(0, link.find(':')) : link, true);
  for (const auto* mode : {&s.network_mode, &s.ipc, &s.pid, &s.uts, &s.cgroup})
    if (mode->starts_with(service_prefix)) depend_on(s, mode->substr(service_prefix.size()), true);
  for (const auto& from : s.volumes_from)
    if (!from.starts_with("container:")) depend_on(s, from.substr(0, from.find(':')), false);
}

// A key without a value takes the project's; unset, it stays as null where `keep` says so.
void resolve(environment_map& variables, const text_map& from, bool keep) {
  for (auto it = variables.begin(); it != variables.end();) {
    const auto found = it->second ? from.end() : from.find(it->first);
    if (found != from.end()) it->second = found->second;
    it = it->second || keep ? std::next(it) : variables.erase(it);
  }
}

void complete_build(build_config& b, const text_map& environment) {
  if (b.dockerfile.empty() && b.dockerfile_inline.empty()) b.dockerfile = "Dockerfile";
  resolve(b.args, environment, false);
}

void normalise_service(service& s, const node& model, const text_map& environment) {
  join_default_network(s, model);
  if (s.pull_policy == "if_not_present") s.pull_policy = "missing";
  if (s.build) complete_build(*s.build, environment);
  resolve(s.environment, environment, true);
  infer_dependencies(s);
  for (auto& m : s.volumes)
    if (!m.target.empty()) m.target = clean_path(m.target);
}

template <class T>
void name_resources(const std::string& project_name, std::map<std::string, T, std::less<>>& all) {
  for (auto& [key, resource] : all)
    if (resource.name.empty()) resource.name = resource.external ? key : project_name + "_" + key;
}

// What an included project's own variables gave stays where this project does not have the variable.
void fill_contents(std::map<std::string, file_object, std::less<>>& all, const text_map& environment) {
  for (auto& [key, o] : all) {
    if (o.environment.empty()) continue;
    const auto found = environment.find(o.environment);
    if (found != environment.end()) o.content = found->second;
    o.unset = found == environment.end() && o.content.empty();
  }
}

void keep_used_models(project& p) {
  if (!p.models) return;
  value kept;
  kept.is = value::kind::map;
  for (std::size_t i = 0; i < p.models->keys.size(); ++i) {
    const auto& name = p.models->keys[i];
    const bool used = std::ranges::any_of(p.services, [&](const auto& entry) {
      const auto& wanted = entry.second.models;
      return wanted && std::ranges::find(wanted->keys, name) != wanted->keys.end();
    });
    if (!used) continue;
    kept.keys.push_back(name);
    kept.items.push_back(p.models->items[i]);
  }
  p.models.reset();
  if (!kept.keys.empty()) p.models = std::move(kept);
}

template <class T>
void keep_used(std::map<std::string, T, std::less<>>& all, const std::set<std::string_view>& used) {
  std::erase_if(all, [&](const auto& entry) { return !used.contains(entry.first); });
}

}  // namespace

void normalise(project& p, const node& model) {
  bool uses_default = false;
  for (auto& [key, s] : p.services) {
    normalise_service(s, model, p.environment);
    uses_default = uses_default || s.networks.contains("default");
  }
  if (uses_default) p.networks.try_emplace("default");
  name_resources(p.name, p.networks);
  name_resources(p.name, p.volumes);
  name_resources(p.name, p.secrets);
  name_resources(p.name, p.configs);
  fill_contents(p.secrets, p.environment);
  fill_contents(p.configs, p.environment);
}

void drop_unused_resources(project& p) {
  std::set<std::string_view> networks, volumes, secrets, configs;
  for (const auto& [key, s] : p.services) {
    for (const auto& [network_key, options] : s.networks) networks.insert(network_key);
    for (const auto& m : s.volumes)
      if (m.type == "volume" && !m.source.empty()) volumes.insert(m.source);
    for (const auto& f : s.secrets) secrets.insert(f.source);
    for (const auto& f : s.configs) configs.insert(f.source);
    if (s.build)
      for (const auto& f : s.build->secrets) secrets.insert(f.source);
  }
  keep_used(p.networks, networks);
  keep_used(p.volumes, volumes);
  keep_used(p.secrets, secrets);
  keep_used(p.configs, configs);
  keep_used_models(p);
}

void drop_provided_services(project& p) {
  const auto provided =
      std::erase_if(p.services, [](const auto& entry) { return entry.second.provider.has_value(); });
  if (provided > 0) drop_inactive_dependencies(p);
}

bool joins_unnamed(const project& p, const service& s) {
  return s.network_mode.empty() && s.networks.empty() && p.networks.contains("default");
}

void drop_inactive_dependencies(project& p) {
  for (auto& [key, s] : p.services)
    std::erase_if(s.depends_on, [&](const auto& entry) { return !p.services.contains(entry.first); });
}

int wanted_scale(const service& s) {
  if (s.scale) return *s.scale;
  return s.deploy && s.deploy->replicas ? *s.deploy->replicas : 1;
}

std::vector<std::string> networks_by_priority(const service& s) {
  std::vector<std::string> keys;
  for (const auto& [key, options] : s.networks) keys.push_back(key);
  const auto rank = [&](const std::string& key) {
    const auto& options = s.networks.at(key);
    return std::pair(options ? -options->priority : 0, std::string_view(key));
  };
  std::ranges::sort(keys, {}, rank);
  return keys;
}

}  // namespace difyd::compose
