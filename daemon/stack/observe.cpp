#include "difyd/stack/observe.hpp"

#include <algorithm>
#include <charconv>

#include "difyd/base/task_group.hpp"
#include "difyd/stack/labels.hpp"
#include "installed_compose.hpp"
#include "planner.hpp"
#include "run.hpp"

namespace difyd::stack {
namespace {

using nlohmann::json;

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void take_details(observed_container& to, const engine::container& from) {
  auto details = std::make_shared<json>();
  for (const char* part : {"Config", "HostConfig"})
    if (from.raw && from.raw->contains(part)) (*details)[part] = (*from.raw)[part];
  to.details = std::move(details);
}

// json-file without max-size; the others rotate by themselves or write elsewhere
// (docs.docker.com/engine/logging/configure).
bool logs_unbounded(const engine::container& from) {
  if (!from.raw) return false;
  const auto host = from.raw->find("HostConfig");
  if (host == from.raw->end() || !host->is_object()) return false;
  const auto log = host->find("LogConfig");
  if (log == host->end() || !log->is_object() || log->value("Type", "") != "json-file") return false;
  const auto options = log->find("Config");
  return options == log->end() || !options->is_object() || !options->contains("max-size");
}

// "Up 5 minutes (healthy)", "Up 2 seconds (health: starting)"
std::string health_in(const std::string& status) {
  if (status.ends_with("(healthy)")) return "healthy";
  if (status.ends_with("(unhealthy)")) return "unhealthy";
  return status.ends_with("(health: starting)") ? "starting" : "";
}

// What the list and an inspect name alike.
template <class Container>
observed_container named(const Container& c, std::string name) {
  observed_container to;
  to.id = c.id;
  to.name = std::move(name);
  to.labels.insert(c.labels.begin(), c.labels.end());
  to.service = to.label(label::service);
  to.number = number_in(to.label(label::number));
  to.one_off = to.label(label::one_off) == "True";
  to.image = c.image;
  to.image_id = c.image_id;
  for (const auto& [name_of, attached] : c.networks)
    to.networks[name_of] = {attached.network_id, attached.ip};
  for (const auto& m : c.mounts) to.mounts.push_back({m.type, m.name, m.source, m.destination, !m.writable});
  return to;
}

void take_listed(observed_container& to, const engine::container_summary& listed) {
  to.command = listed.command;
  to.status = listed.status;
  to.created = listed.created;
  for (const auto& p : listed.ports)
    to.ports.push_back({p.host_ip, p.host_port, p.container_port, p.protocol});
}

observed_container container_from(const engine::container_summary& listed) {
  auto to = named(listed, listed.name());
  take_listed(to, listed);
  to.state = listed.state;
  to.health = health_in(listed.status);
  return to;
}

observed_container container_from(const engine::container_summary& listed, const engine::container& c,
                                  bool details) {
  auto to = named(c, c.name);
  take_listed(to, listed);
  to.state = c.state.status;
  if (c.state.health && c.state.health->status != "none") to.health = c.state.health->status;
  to.exit_code = c.state.exit_code;
  to.error = c.state.error;
  to.started_at = c.state.started_at;
  to.finished_at = c.state.finished_at;
  to.oom_killed = c.state.oom_killed;
  to.logs_unbounded = logs_unbounded(c);
  to.restart_policy = c.restart.name.empty() ? "no" : c.restart.name;
  to.stop_timeout = c.stop_timeout.value_or(10);
  if (details) take_details(to, c);
  return to;
}

using optional_container = Result<std::optional<observed_container>>;

task<optional_container> look_at(engine::client& engine, engine::container_summary listed, bool details,
                                 duration limit) {
  auto c = co_await engine.containers.inspect(listed.id, limit);
  if (!c) {
    if (c.error().code == "engine-not-found") co_return std::nullopt;
    co_return std::unexpected(c.error());
  }
  co_return container_from(listed, *c, details);
}

task<Result<>> look_at_containers(engine::client& engine, observed& to, const observe_options& options) {
  engine::container_filter filter;
  filter.labels = {std::string(label::project) + "=" + to.project};
  auto listed = co_await engine.containers.list(std::move(filter), options.limit);
  if (!listed) co_return std::unexpected(listed.error());
  std::vector<task<optional_container>> looks;
  for (auto& each : *listed)
    if (options.depth == observing::listed && each.state == "running")
      to.containers.push_back(container_from(each));
    else
      looks.push_back(look_at(engine, std::move(each), options.depth == observing::detailed, options.limit));
  auto found = co_await when_all(std::move(looks));
  for (auto& each : found) {
    if (!each) co_return std::unexpected(each.error());
    if (*each) to.containers.push_back(std::move(**each));
  }
  std::sort(to.containers.begin(), to.containers.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  co_return Result<>{};
}

compose::text_map labels_of(const engine::string_map& from) { return {from.begin(), from.end()}; }

bool wanted_network(const observed& to, const compose::project* p, const engine::network& n) {
  if (const auto owner = n.labels.find(label::project);
      owner != n.labels.end() && owner->second == to.project)
    return true;
  if (p == nullptr) return false;
  return std::any_of(p->networks.begin(), p->networks.end(),
                     [&](const auto& each) { return each.second.name == n.name; });
}

bool is_another(const compose::project* p, const engine::network& n) {
  if (p == nullptr) return false;
  return std::any_of(p->networks.begin(), p->networks.end(), [&](const auto& each) {
    const auto& wanted = each.second;
    return wanted.name == n.name && !wanted.external &&
           changed(labels_of(n.labels), compose::config_hash(wanted));
  });
}

// Only an inspect says which containers are on a network, others than the project's among them.
task<Result<>> look_at_attached(engine::client& engine, observed_network& to, duration limit) {
  auto inspected = co_await engine.networks.inspect(to.id, limit);
  if (inspected)
    to.attached = {inspected->containers.begin(), inspected->containers.end()};
  else if (inspected.error().code != "engine-not-found")
    co_return std::unexpected(inspected.error());
  co_return Result<>{};
}

task<Result<>> look_at_networks(engine::client& engine, observed& to, const observe_options& options) {
  auto listed = co_await engine.networks.list({}, options.limit);
  if (!listed) co_return std::unexpected(listed.error());
  for (const auto& n : *listed) {
    if (!wanted_network(to, options.project.get(), n)) continue;
    auto& kept = to.networks[n.name] = {n.id, n.name, labels_of(n.labels), {}};
    if (!is_another(options.project.get(), n)) continue;
    if (auto looked = co_await look_at_attached(engine, kept, options.limit); !looked) co_return looked;
  }
  co_return Result<>{};
}

// The first containers of a project are written as the machine's docker compose does, later ones as these
// were.
bool has_dialect(const observed& o) {
  return std::any_of(o.containers.begin(), o.containers.end(),
                     [](const auto& c) { return !c.label(label::version).empty(); });
}

bool uses_volumes(const compose::project* p) { return p == nullptr || !p->volumes.empty(); }

task<Result<>> look_at_volumes(engine::client& engine, observed& to, const observe_options& options) {
  if (!uses_volumes(options.project.get())) co_return Result<>{};
  auto listed = co_await engine.volumes.list({}, options.limit);
  if (!listed) co_return std::unexpected(listed.error());
  const auto* p = options.project.get();
  for (const auto& v : *listed) {
    const auto owner = v.labels.find(label::project);
    const bool own = owner != v.labels.end() && owner->second == to.project;
    const bool named =
        p != nullptr && std::any_of(p->volumes.begin(), p->volumes.end(),
                                    [&](const auto& each) { return each.second.name == v.name; });
    if (own || named) to.volumes[v.name] = {v.name, labels_of(v.labels)};
  }
  co_return Result<>{};
}

task<Result<>> look_at_image(engine::client& engine, observed& to, std::string reference, duration limit) {
  auto image = co_await engine.images.inspect(reference, limit);
  if (!image) {
    if (image.error().code == "engine-not-found") co_return Result<>{};
    co_return std::unexpected(image.error());
  }
  to.images[reference] = {image->id, {image->volumes.begin(), image->volumes.end()}, image->env};
  co_return Result<>{};
}

}  // namespace

task<Result<observed>> observe(engine::client& engine, std::string project, observe_options options) {
  if (engine.version().api.empty()) {
    auto connected = co_await engine.connect();
    if (!connected) co_return std::unexpected(connected.error());
  }
  observed now;
  now.project = std::move(project);
  now.api = api_of(engine.version());
  std::set<std::string> references;
  if (options.project)
    for (const auto& [name, s] : options.project->services)
      references.insert(image_reference(*options.project, s));
  std::vector<task<Result<>>> looks;
  looks.push_back(look_at_containers(engine, now, options));
  looks.push_back(look_at_networks(engine, now, options));
  looks.push_back(look_at_volumes(engine, now, options));
  for (const auto& reference : references)
    looks.push_back(look_at_image(engine, now, reference, options.limit));
  auto results = co_await when_all(std::move(looks));
  for (auto& result : results)
    if (!result) co_return std::unexpected(result.error());
  if (options.project && !has_dialect(now)) now.installed_compose = co_await installed_compose_version();
  co_return now;
}

task<Result<std::vector<project_summary>>> list_projects(engine::client& engine) {
  engine::container_filter filter;
  filter.labels = {label::project};
  auto listed = co_await engine.containers.list(std::move(filter));
  if (!listed) co_return std::unexpected(listed.error());
  std::map<std::string, project_summary> projects;
  for (const auto& c : *listed) {
    const auto text = [&](const char* key) {
      const auto found = c.labels.find(key);
      return found == c.labels.end() ? std::string() : found->second;
    };
    auto& p = projects[text(label::project)];
    p.name = text(label::project);
    if (p.working_dir.empty()) p.working_dir = text(label::working_dir);
    if (p.config_files.empty()) p.config_files = text(label::config_files);
    ++p.containers;
    if (c.state == "running") ++p.running;
  }
  std::vector<project_summary> list;
  for (auto& [name, p] : projects) list.push_back(std::move(p));
  co_return list;
}

}  // namespace difyd::stack
