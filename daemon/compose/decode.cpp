#include "decode.hpp"

#include "decoder.hpp"
#include "describe_project.hpp"
#include "describe_service.hpp"

namespace difyd::compose {
namespace {

bool is_resource_name(std::string_view key) {
  return !key.empty() &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

// Resources may be null: `volumes: {data: }`.
template <class T>
void read_resources(workspace& w, const node& document, std::string_view group,
                    std::map<std::string, T, std::less<>>& to) {
  const node* all = document.find(group);
  if (!all) return;
  const trail top{nullptr, group};
  if (all->is != kind::mapping)
    refuse(w, all->at, std::string(group) + " must be a mapping, not " + std::string(name_of(all->is)));
  for (const auto& f : all->fields) {
    if (group != "networks" && !is_resource_name(f.key))  // of networks, docker compose takes any
      refuse(w, f.at, std::string(group) + ": additional property " + std::string(f.key) + " is not allowed",
             "A name has letters, digits, '.', '_' and '-' only");
    auto& slot = to[std::string(f.key)];
    if (f.value.is == kind::null) continue;
    const trail path{&top, f.key};
    decoder d(w, f.value, path);
    describe(d, slot);
    d.finish();
  }
}

void read_services(workspace& w, const node& document, project& p) {
  const node* all = document.find("services");
  if (!all) return;
  const trail top{nullptr, "services"};
  if (all->is != kind::mapping)
    refuse(w, all->at, "services must be a mapping, not " + std::string(name_of(all->is)));
  for (const auto& f : all->fields) {
    const trail path{&top, f.key};
    if (!is_resource_name(f.key))
      refuse(w, f.at, "services: additional property " + std::string(f.key) + " is not allowed",
             "A service name has letters, digits, '.', '_' and '-' only");
    decoder d(w, f.value, path);
    auto& s = p.services[std::string(f.key)];
    s.name = f.key;
    describe(d, s);
    d.finish();
  }
}

}  // namespace

project decode_project(workspace& w, const node& document) {
  project p;
  const trail root;
  decoder d(w, document, root);
  for (const auto key :
       {"name", "version", "services", "networks", "volumes", "secrets", "configs", "include"})
    d.ignored(key);
  d.tree("models", p.models);
  d.extensions(p.extensions);
  d.finish();
  read_services(w, document, p);
  read_resources(w, document, "networks", p.networks);
  read_resources(w, document, "volumes", p.volumes);
  read_resources(w, document, "secrets", p.secrets);
  read_resources(w, document, "configs", p.configs);
  return p;
}

}  // namespace difyd::compose
