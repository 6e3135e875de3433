// Networks, volumes, images and folders of a plan: what a creation comes after.
#include <algorithm>
#include <filesystem>

#include "planner.hpp"

namespace difyd::stack {
namespace {

std::set<std::string> networks_used(const compose::project& p, const std::set<std::string>& services) {
  std::set<std::string> keys;
  for (const auto& name : services) {
    const auto& s = p.services.at(name);
    if (!s.network_mode.empty()) continue;
    for (const auto& [key, endpoint] : s.networks) keys.insert(key);
    if (compose::joins_unnamed(p, s)) keys.insert("default");
  }
  return keys;
}

std::set<std::string> volumes_used(const compose::project& p, const std::set<std::string>& services) {
  std::set<std::string> keys;
  for (const auto& name : services)
    for (const auto& m : p.services.at(name).volumes)
      if (m.type == "volume" && p.volumes.contains(m.source)) keys.insert(m.source);
  return keys;
}

std::string label_of(const compose::text_map& labels, const char* key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

bool below(const std::string& path, const std::string& folder) {
  if (folder.empty()) return false;
  const std::string base = folder.ends_with('/') ? folder : folder + "/";
  return path.starts_with(base) || path + "/" == base;
}

// Whether a mount target is meant to be a file: it has an extension that is neither a number nor "d".
bool looks_like_file(const std::string& path) {
  const auto extension = std::filesystem::path(path).extension().string();
  return extension.size() > 1 && extension != ".d" &&
         extension.find_first_not_of("0123456789", 1) != std::string::npos;
}

}  // namespace

bool changed(const compose::text_map& labels, const std::string& hash) {
  const auto has = label_of(labels, label::config_hash);
  return !has.empty() && has != hash && label_of(labels, label::version).starts_with("2.");
}

Result<> planner::make_networks() {
  for (const auto& key : networks_used(*project_, scope_)) {
    const auto& n = project_->networks.at(key);
    const auto found = now_.networks.find(n.name);
    networks_[key];
    if (found == now_.networks.end()) {
      if (n.external)
        return fail("network-missing",
                    "cannot use network " + n.name + ": it is declared as external, but could not be found",
                    "Create it: docker network create " + n.name);
      auto& op = add(op_kind::create_network, n.name, "missing");
      op.network = key;
      networks_[key] = {op.id};
      continue;
    }
    if (n.external) continue;
    const auto& labels = found->second.labels;
    if (const auto has = label_of(labels, label::network); has != key)
      return fail("network-mislabelled",
                  "cannot use network " + n.name +
                      ": it was not created by compose for this project (label " + label::network + " is \"" +
                      has + "\")",
                  "Remove the network, or declare it as external");
    if (const auto owner = label_of(labels, label::project); owner != project_->name)
      plan_.warnings.push_back("network " + n.name + " exists but belongs to project \"" + owner + "\"");
    else if (changed(labels, compose::config_hash(n)))
      networks_[key] = renew_network(key);
  }
  return {};
}

// The container that a network has to stay for: one that this plan does not touch, or none of the project's.
std::string planner::keeper_of(const std::string& network, const std::vector<const container*>& users) const {
  for (const auto* c : users)
    if (c->one_off || !in_scope(c->service)) return c->name;
  for (const auto& [id, name] : now_.networks.at(network).attached)
    if (now_.find(id) == nullptr) return name;
  return {};
}

// Removed when what is on it has stopped, and made again; everything on it is recreated then.
std::vector<int> planner::renew_network(const std::string& key) {
  const auto& name = project_->networks.at(key).name;
  std::vector<const container*> users;
  for (const auto& c : now_.containers)
    if (c.networks.contains(name) && !doomed_.contains(c.id)) users.push_back(&c);
  if (const auto keeper = keeper_of(name, users); !keeper.empty()) {
    plan_.warnings.push_back("network " + name +
                             " has another configuration than the file says; it stays, because " + keeper +
                             ", which is left alone here, is on it");
    return {};
  }
  std::vector<int> stopped;
  for (const auto* c : users)
    if (c->state == "running" || c->state == "restarting" || c->state == "paused")
      stopped.push_back(add_for(op_kind::stop_container, *c, "its network " + name + " is made anew").id);
  auto& removal = add(op_kind::remove_network, name, "its configuration changed");
  removal.after = stopped;
  const int gone = removal.id;
  auto& made = add(op_kind::create_network, name, "its configuration changed");
  made.network = key;
  made.after = {gone};
  renewed_networks_.insert(key);
  return {made.id};
}

Result<> planner::make_volumes() {
  for (const auto& key : volumes_used(*project_, scope_)) {
    const auto& v = project_->volumes.at(key);
    const auto found = now_.volumes.find(v.name);
    volumes_[key];
    if (found == now_.volumes.end()) {
      if (v.external)
        return fail("volume-missing", "cannot use volume " + v.name + ": external volume not found",
                    "Create it: docker volume create " + v.name);
      auto& op = add(op_kind::create_volume, v.name, "missing");
      op.volume = key;
      volumes_[key] = {op.id};
      continue;
    }
    if (v.external) continue;
    if (const auto owner = label_of(found->second.labels, label::project); owner != project_->name)
      plan_.warnings.push_back(
          "volume " + v.name + " already exists but " +
          (owner.empty() ? "was not created by compose" : "belongs to project \"" + owner + "\"") +
          "; declare it as external to use it without this warning");
    else if (changed(found->second.labels, compose::config_hash(v)))
      plan_.warnings.push_back(
          "volume " + v.name +
          " has another configuration than the file says; it stays as it is, because making it "
          "anew would lose its data. To do so: docker compose down, docker volume rm " +
          v.name);
  }
  return {};
}

Result<std::optional<int>> planner::image(const compose::service& s) {
  const auto reference = image_reference(*project_, s);
  if (now_.images.contains(reference)) return std::optional<int>();
  if (const auto pull = pulls_.find(reference); pull != pulls_.end()) return std::optional(pull->second);
  const bool never = options_.pull == pull_when::never ||
                     (options_.pull == pull_when::as_service_says && s.pull_policy == "never");
  if (never)
    return fail(
        "image-missing",
        "cannot create " + s.name + ": image " + reference + " is not on the engine and must not be pulled",
        "Load it, or allow pulling (--pull missing)");
  if (s.image.empty() || (s.build && s.pull_policy == "build"))
    return fail(
        "image-missing",
        "cannot create " + s.name + ": image " + reference + " is to be built, which difyd does not do",
        "Build it with docker compose build " + s.name);
  auto& op = add(op_kind::pull_image, reference, "not on the engine");
  op.service = s.name;
  op.platform = s.platform;
  pulls_[reference] = op.id;
  return std::optional(op.id);
}

// The folder operation for a missing source, 0 where the engine may create it.
Result<int> planner::missing_source(const compose::service& s, const std::string& source,
                                    const std::string& target, bool may_create) {
  const bool folder = !looks_like_file(target) && !looks_like_file(source);
  if (folder && below(source, options_.binds.difyd_creates_below)) {
    if (const auto known = folders_.find(source); known != folders_.end()) return known->second;
    const int id = add(op_kind::create_folder, source, "bind source of " + s.name + " is missing").id;
    folders_[source] = id;
    return id;
  }
  if (folder && may_create && below(source, options_.binds.engine_creates_below)) return 0;
  return fail(
      "bind-source-missing",
      "cannot create " + s.name + ": bind source " + source + " does not exist (mounted at " + target + ")",
      folder ? "Create the folder, or correct the path in the compose file"
             : "Put the file there; it belongs to the release's bundle or to your own files");
}

Result<std::vector<int>> planner::bind_sources(const compose::service& s) {
  std::vector<int> after;
  if (options_.start)
    if (auto set = check_variables(*project_, s); !set) return std::unexpected(set.error());
  for (const auto& m : s.volumes) {
    if (m.type != "bind" || !now_.missing_sources.contains(m.source)) continue;
    auto folder = missing_source(s, m.source, m.target, !m.bind || m.bind->create_host_path);
    if (!folder) return std::unexpected(folder.error());
    if (*folder != 0) after.push_back(*folder);
  }
  const auto files = [&](const auto& references, const auto& objects, const char* what) -> Result<> {
    for (const auto& reference : references) {
      const auto found = objects.find(reference.source);
      if (found == objects.end() || !now_.missing_sources.contains(found->second.file)) continue;
      return fail("bind-source-missing",
                  "cannot create " + s.name + ": file " + found->second.file + " of " + what + " " +
                      reference.source + " does not exist",
                  "Put the file there");
    }
    return {};
  };
  if (auto done = files(s.secrets, project_->secrets, "secret"); !done) return std::unexpected(done.error());
  if (auto done = files(s.configs, project_->configs, "config"); !done) return std::unexpected(done.error());
  return after;
}

Result<std::vector<int>> planner::prepare(const compose::service& s) {
  auto after = bind_sources(s);
  if (!after) return after;
  auto pull = image(s);
  if (!pull) return std::unexpected(pull.error());
  if (*pull) after->push_back(**pull);
  const auto append = [&](const std::vector<int>& ids) {
    after->insert(after->end(), ids.begin(), ids.end());
  };
  append(leftovers_gone_[s.name]);  // one may have the name that a recreation begins with
  if (s.network_mode.empty())
    for (const auto& [key, endpoint] : s.networks) append(networks_[key]);
  if (compose::joins_unnamed(*project_, s)) append(networks_["default"]);
  for (const auto& m : s.volumes)
    if (const auto made = volumes_.find(m.source); m.type == "volume" && made != volumes_.end())
      append(made->second);
  for (const auto& [on, how] : graph_.at(s.name))
    for (const auto* space : {&s.network_mode, &s.ipc, &s.pid})
      if (*space == "service:" + on) append(outcomes_[on].made);
  for (const auto& from : s.volumes_from)
    if (const auto found = outcomes_.find(from.substr(0, from.find(':'))); found != outcomes_.end())
      append(found->second.made);
  std::sort(after->begin(), after->end());
  after->erase(std::unique(after->begin(), after->end()), after->end());
  return after;
}

}  // namespace difyd::stack
