#include "difyd/stack/observed.hpp"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "difyd/stack/labels.hpp"

namespace difyd::stack {

std::string observed_container::label(std::string_view key) const {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

const observed_container* observed::find(std::string_view id) const {
  for (const auto& c : containers)
    if (c.id == id) return &c;
  return nullptr;
}

std::vector<const observed_container*> containers_of(const observed& o, std::string_view service) {
  std::vector<const observed_container*> found;
  for (const auto& c : o.containers)
    if (c.service == service && !c.one_off) found.push_back(&c);
  std::sort(found.begin(), found.end(),
            [](auto* a, auto* b) { return std::tie(a->number, a->name) < std::tie(b->number, b->name); });
  return found;
}

dialect dialect_in_use(const observed& o) {
  const observed_container* newest = nullptr;
  for (const auto& c : o.containers)
    if (!c.label(label::version).empty() && (newest == nullptr || c.created > newest->created)) newest = &c;
  return dialect_of(newest == nullptr ? o.installed_compose : newest->label(label::version));
}

std::set<std::string> missing_bind_sources(const compose::project& p) {
  std::set<std::string> missing;
  const auto look = [&](const std::string& path) {
    std::error_code ignored;
    if (!path.empty() && !std::filesystem::exists(path, ignored)) missing.insert(path);
  };
  for (const auto& [name, s] : p.services) {
    for (const auto& m : s.volumes)
      if (m.type == "bind") look(m.source);
    for (const auto& secret : s.secrets)
      if (const auto found = p.secrets.find(secret.source); found != p.secrets.end())
        look(found->second.file);
    for (const auto& config : s.configs)
      if (const auto found = p.configs.find(config.source); found != p.configs.end())
        look(found->second.file);
  }
  return missing;
}

}  // namespace difyd::stack
