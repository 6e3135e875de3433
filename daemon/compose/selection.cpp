#include "selection.hpp"

#include <algorithm>
#include <set>

namespace difyd::compose {
namespace {

bool is_on(const service& s, const text_list& profiles) {
  if (s.profiles.empty()) return true;
  return std::ranges::any_of(profiles, [&](const std::string& p) {
    return p == "*" || std::ranges::find(s.profiles, p) != s.profiles.end();
  });
}

// A required dependency that is off stays one: check_consistency says so, with its place.
void collect(const project& p, const std::string& name, bool required, bool deep,
             std::set<std::string>& found) {
  const auto s = p.services.find(name);
  if (s == p.services.end() && !required) return;
  if (!found.insert(name).second || !deep || s == p.services.end()) return;
  for (const auto& [other, d] : s->second.depends_on) collect(p, other, d.required, deep, found);
}

}  // namespace

void apply_profiles(project& p, text_list profiles) {
  p.services.merge(p.disabled_services);
  p.disabled_services.clear();
  for (auto it = p.services.begin(); it != p.services.end();) {
    const auto next = std::next(it);
    if (!is_on(it->second, profiles)) p.disabled_services.insert(p.services.extract(it));
    it = next;
  }
  p.profiles = std::move(profiles);
}

void enable_services(project& p, const text_list& names) {
  text_list profiles = p.profiles;
  for (const auto& name : names) {
    const auto off = p.disabled_services.find(name);
    if (off == p.disabled_services.end()) continue;
    profiles.insert(profiles.end(), off->second.profiles.begin(), off->second.profiles.end());
  }
  if (profiles.size() != p.profiles.size()) apply_profiles(p, std::move(profiles));
}

void select_services(project& p, const text_list& names, bool with_dependencies) {
  if (names.empty()) return;
  std::set<std::string> found;
  for (const auto& name : names) {
    if (!p.services.contains(name))
      throw broken({"no-such-service", "cannot select service " + name + ": no such service", {}});
    collect(p, name, true, with_dependencies, found);
  }
  for (auto it = p.services.begin(); it != p.services.end();) {
    const auto next = std::next(it);
    if (!found.contains(it->first)) p.disabled_services.insert(p.services.extract(it));
    it = next;
  }
  for (auto& [key, s] : p.services)
    std::erase_if(s.depends_on, [&](const auto& entry) { return !found.contains(entry.first); });
}

}  // namespace difyd::compose
