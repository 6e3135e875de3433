#include "consistency.hpp"

#include <algorithm>
#include <set>

namespace difyd::compose {
namespace {

class checker {
 public:
  checker(const workspace& w, const node& model, const project& p) : w_(w), model_(model), p_(p) {}

  void run() {
    for (const auto& [key, s] : p_.services) service_of(s);
    container_names();
    secrets();
    for (const auto& [key, s] : p_.services) {
      std::vector<std::string> path;
      walk(key, path);
    }
  }

 private:
  // The place of services.<name>.<path>, as deep as the files say.
  place at(const std::string& name, std::initializer_list<std::string_view> path) const {
    const node* services = model_.find("services");
    const node* n = services ? services->find(name) : nullptr;
    if (!n) return {};
    place found = n->at;
    for (const auto& f : services->fields)
      if (f.key == name && f.at.line) found = f.at;
    for (const auto key : path) {
      const auto f = std::ranges::find(n->fields, key, &field::key);
      const bool item = f == n->fields.end() && n->is == kind::sequence;
      const auto listed =
          item ? std::ranges::find_if(n->fields, [&](const field& e) { return holds(e.value, key); }) : f;
      if (listed == n->fields.end()) break;
      n = &listed->value;
      found = listed->at;
    }
    return found;
  }

  static bool holds(const node& n, std::string_view source) {
    const node* named = n.find("source");
    return named && named->text == source;
  }

  [[noreturn]] void refuse_service(const service& s, std::initializer_list<std::string_view> path,
                                   const std::string& why, std::string remedy = {}) const {
    refuse(w_, at(s.name, path), "service \"" + s.name + "\" " + why, std::move(remedy));
  }

  void service_of(const service& s) const {
    if (!s.build && s.image.empty() && !s.provider)
      refuse_service(s, {}, "has neither an image nor a build context specified", "Give it an image");
    if (s.build) build(s, *s.build);
    networks(s);
    dependencies(s);
    mounts(s);
    references(s);
    limits(s);
    names(s);
    watches(s);
  }

  void build(const service& s, const build_config& b) const {
    if (!b.dockerfile.empty() && !b.dockerfile_inline.empty())
      refuse_service(s, {"build"}, "declares mutually exclusive dockerfile and dockerfile_inline");
    if (!b.platforms.empty() && !s.platform.empty() &&
        std::ranges::find(b.platforms, s.platform) == b.platforms.end())
      refuse_service(s, {"build", "platforms"}, "does not build for its own platform " + s.platform,
                     "Add it to build.platforms");
    for (const auto& [name, context] : b.additional_contexts) {
      if (!context.starts_with("service:")) continue;
      const auto other = p_.services.find(std::string_view(context).substr(8));
      if (other == p_.services.end() || !other->second.build)
        refuse_service(
            s, {"build", "additional_contexts"},
            "declares " + context + " as an additional context, which is no service that is built");
    }
  }

  void watches(const service& s) const {
    if (!s.develop) return;
    for (const auto& rule : s.develop->watch)
      if (rule.target.empty() && rule.action != "rebuild" && rule.action != "restart")
        refuse_service(s, {"develop", "watch"}, "watches with " + rule.action + ", which needs a target");
  }

  void networks(const service& s) const {
    if (!s.network_mode.empty() && !s.networks.empty())
      refuse_service(s, {"network_mode"}, "declares mutually exclusive `network_mode` and `networks`",
                     "Keep one of the two");
    for (const auto& [key, options] : s.networks)
      if (!p_.networks.contains(key))
        refuse_service(s, {"networks", key}, "refers to undefined network " + key,
                       "Declare it under the top-level key `networks`");
  }

  void dependencies(const service& s) const {
    for (const auto& [key, d] : s.depends_on) {
      if (p_.services.contains(key) || (!d.required && p_.disabled_services.contains(key))) continue;
      const bool off = p_.disabled_services.contains(key);
      refuse_service(s, {"depends_on", key}, "depends on undefined service \"" + key + "\"",
                     off ? "Turn on one of its profiles, or set `required: false`"
                         : "Declare it, or remove the dependency");
    }
  }

  void mounts(const service& s) const {
    for (const auto& m : s.volumes)
      if (m.type == "volume" && !m.source.empty() && !p_.volumes.contains(m.source))
        refuse_service(s, {"volumes", m.source}, "refers to undefined volume " + m.source,
                       "Declare it under the top-level key `volumes`, or start a host path with ./ or /");
    std::set<std::string_view> targets;
    for (const auto& line : s.tmpfs)
      if (const auto target = std::string_view(line).substr(0, line.find(':'));
          !targets.insert(target).second)
        refuse_target(s, "tmpfs", target);
    for (const auto& m : s.volumes)
      if (!targets.insert(m.target).second) refuse_target(s, "volumes", m.target);
  }

  [[noreturn]] void refuse_target(const service& s, std::string_view key, std::string_view target) const {
    refuse_service(s, {key}, "mounts two things at " + std::string(target), "Keep one of the two");
  }

  void references(const service& s) const {
    for (const auto& f : s.secrets)
      if (!p_.secrets.contains(f.source))
        refuse_service(s, {"secrets", f.source}, "refers to undefined secret " + f.source);
    for (const auto& f : s.configs)
      if (!p_.configs.contains(f.source))
        refuse_service(s, {"configs", f.source}, "refers to undefined config " + f.source);
    models(s);
    if (s.build)
      for (const auto& f : s.build->secrets)
        if (!p_.secrets.contains(f.source))
          refuse_service(s, {"build"}, "refers to undefined build secret " + f.source);
  }

  void models(const service& s) const {
    if (!s.models) return;
    const node* all = model_.find("models");
    for (const auto& name : s.models->keys)
      if (!all || !all->find(name)) refuse_service(s, {"models", name}, "refers to undefined model " + name);
  }

  void secrets() const {
    for (const auto& [key, o] : p_.secrets)
      if (!o.external && o.file.empty() && o.environment.empty())
        refuse(w_, model_.find("secrets")->find(key)->at, "secrets." + key + " needs file or environment");
  }

  void distinct(const service& s, bool differ, std::string_view one, const std::string& other) const {
    if (!differ) return;
    refuse(w_, at(s.name, {one}),
           "services." + s.name + ": can't set distinct values on '" + std::string(one) + "' and '" + other +
               "'",
           "Keep one of the two");
  }

  void limits(const service& s) const {
    if (!s.deploy) return;
    const auto& r = s.deploy->resources;
    distinct(s, s.scale && s.deploy->replicas && *s.scale != *s.deploy->replicas, "scale", "deploy.replicas");
    distinct(s, s.cpus != 0 && r.limits && r.limits->cpus != s.cpus, "cpus", "deploy.resources.limits.cpus");
    distinct(s, s.mem_limit != 0 && r.limits && r.limits->memory != s.mem_limit, "mem_limit",
             "deploy.resources.limits.memory");
    distinct(s, s.mem_reservation != 0 && r.reservations && r.reservations->memory != s.mem_reservation,
             "mem_reservation", "deploy.resources.reservations.memory");
    distinct(s, s.pids_limit != 0 && r.limits && r.limits->pids != s.pids_limit, "pids_limit",
             "deploy.resources.limits.pids");
  }

  void names(const service& s) const {
    if (wanted_scale(s) > 1 && !s.container_name.empty())
      refuse_service(s, {"container_name"},
                     std::string("can't have container_name and ") + (s.scale ? "scale" : "deploy.replicas") +
                         ": a container name must be unique");
  }

  // Not checked by docker compose 2.26, which fails on the second create.
  void container_names() const {
    std::map<std::string_view, std::string_view> seen;
    for (const auto& [key, s] : p_.services) {
      if (s.container_name.empty()) continue;
      const auto [first, fresh] = seen.emplace(s.container_name, key);
      if (!fresh)
        refuse_service(s, {"container_name"},
                       "has the container_name \"" + s.container_name + "\" of service \"" +
                           std::string(first->second) + "\"");
    }
  }

  void walk(const std::string& name, std::vector<std::string>& path) {
    if (done_.contains(name)) return;
    const auto again = std::ranges::find(path, name);
    if (again != path.end()) {
      std::string text;
      for (auto it = again; it != path.end(); ++it) text += *it + " -> ";
      refuse(w_, at(path.back(), {"depends_on", name}), "dependency cycle detected: " + text + name);
    }
    const auto s = p_.services.find(name);
    if (s == p_.services.end()) return;
    path.push_back(name);
    for (const auto& [other, d] : s->second.depends_on) walk(other, path);
    path.pop_back();
    done_.insert(name);
  }

  const workspace& w_;
  const node& model_;
  const project& p_;
  std::set<std::string, std::less<>> done_;
};

}  // namespace

void check_consistency(const workspace& w, const node& model, const project& p) {
  checker(w, model, p).run();
}

}  // namespace difyd::compose
