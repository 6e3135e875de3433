// Plans that take away or stop: reverse dependency order, from the project or from labels alone.
#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/stack/labels.hpp"
#include "difyd/stack/plan.hpp"
#include "graph.hpp"

namespace difyd::stack {
namespace {

bool active(const observed_container& c) {
  return c.state == "running" || c.state == "restarting" || c.state == "paused";
}

class taker {
 public:
  taker(std::shared_ptr<const compose::project> project, const observed& now) : now_(now) {
    graph_ = graph_of(now);
    if (project) {
      for (auto& [name, edges] : graph_of(*project)) graph_[name] = std::move(edges);
    }
    plan_.project_name = project ? project->name : now.project;
    plan_.dialect = dialect_in_use(now);
    plan_.project = std::move(project);
  }

  operation& add(op_kind kind, std::string target, std::string cause) {
    operation op;
    op.id = static_cast<int>(plan_.operations.size()) + 1;
    op.kind = kind;
    op.target = std::move(target);
    op.cause = std::move(cause);
    plan_.operations.push_back(std::move(op));
    return plan_.operations.back();
  }

  operation& add_for(op_kind kind, const observed_container& c, std::string cause,
                     std::optional<int> timeout) {
    auto& op = add(kind, c.name, std::move(cause));
    op.service = c.service;
    op.number = c.number;
    op.container_id = c.id;
    op.grace = c.stop_timeout;
    op.timeout = timeout;
    return op;
  }

  std::vector<std::string> order() const { return in_order(graph_); }
  const service_graph& graph() const { return graph_; }
  const observed& now() const { return now_; }
  Plan plan_;

 private:
  const observed& now_;
  service_graph graph_;
};

// Last operations of the services that depend on `name`.
std::vector<int> dependents_of(const service_graph& graph, const std::string& name,
                               const std::map<std::string, std::vector<int>>& last) {
  std::vector<int> after;
  for (const auto& [other, edges] : graph)
    if (edges.contains(name))
      if (const auto done = last.find(other); done != last.end())
        after.insert(after.end(), done->second.begin(), done->second.end());
  return after;
}

void take_networks(taker& t, const std::vector<int>& after) {
  const auto& now = t.now();
  const auto* p = t.plan_.project.get();
  for (const auto& [name, n] : now.networks) {
    const auto owner = n.labels.find(label::project);
    if (owner == n.labels.end() || owner->second != t.plan_.project_name) continue;
    bool external = false;
    if (p != nullptr)
      for (const auto& [key, declared] : p->networks)
        external = external || (declared.name == name && declared.external);
    if (external) continue;
    auto& op = t.add(op_kind::remove_network, name, "down");
    op.after = after;
  }
}

// Docker compose removes every volume that the file declares, even one that it did not create.
void take_volumes(taker& t, const std::vector<int>& after) {
  const auto& now = t.now();
  const auto* p = t.plan_.project.get();
  std::set<std::string> names;
  if (p == nullptr) {
    for (const auto& [name, v] : now.volumes)
      if (const auto owner = v.labels.find(label::project);
          owner != v.labels.end() && owner->second == now.project)
        names.insert(name);
  } else {
    for (const auto& [key, v] : p->volumes)
      if (!v.external && now.volumes.contains(v.name)) names.insert(v.name);
  }
  for (const auto& name : names) t.add(op_kind::remove_volume, name, "down with volumes").after = after;
}

// Of these services stay; a network that they are on stays with them.
std::string left_alone(const compose::project& p, const observed& now) {
  std::set<std::string> names, profiles;
  for (const auto& c : now.containers)
    if (const auto s = p.disabled_services.find(c.service); s != p.disabled_services.end() && !c.one_off) {
      names.insert(c.name);
      if (!s->second.profiles.empty()) profiles.insert("--profile " + s->second.profiles.front());
    }
  if (names.empty()) return {};
  const auto all = [](const std::set<std::string>& of, const char* between) {
    return join({of.begin(), of.end()}, between);
  };
  return "Containers of services whose profile is not enabled (" + all(names, ", ") +
         ") stay; run again with " + all(profiles, " ") + " to remove them";
}

bool chosen(const std::vector<std::string>& services, const std::string& name) {
  return services.empty() || std::find(services.begin(), services.end(), name) != services.end();
}

}  // namespace

Plan plan_down(std::shared_ptr<const compose::project> project, const observed& now,
               const down_options& options) {
  taker t(project, now);
  std::map<std::string, std::vector<int>> last;
  std::vector<int> removals;
  const auto take = [&](const observed_container& c, std::vector<int> after, const std::string& cause) {
    if (active(c)) {
      auto& stop = t.add_for(op_kind::stop_container, c, cause, options.timeout);
      stop.after = after;
      after = {stop.id};
    }
    auto& removal = t.add_for(op_kind::remove_container, c, cause, options.timeout);
    removal.after = after;
    removal.remove_volumes = options.volumes;
    removals.push_back(removal.id);
    last[c.service].push_back(removal.id);
  };
  auto order = t.order();
  std::vector<std::string> orphans;
  for (auto name = order.rbegin(); name != order.rend(); ++name) {
    const bool orphan =
        project && !project->services.contains(*name) && !project->disabled_services.contains(*name);
    if (project && !options.disabled && project->disabled_services.contains(*name)) continue;
    const auto after = dependents_of(t.graph(), *name, last);
    for (const auto* c : containers_of(now, *name)) {
      if (orphan && !options.remove_orphans)
        orphans.push_back(c->name);
      else
        take(*c, after, orphan ? "orphan" : "down");
    }
  }
  for (const auto& c : now.containers)
    if (c.one_off && options.one_offs) take(c, {}, "one-off");
  if (!orphans.empty()) {
    std::string text = "Found orphan containers (";
    for (const auto& name : orphans) text += (text.ends_with('(') ? "" : ", ") + name;
    t.plan_.warnings.push_back(text + "), which stay; run again with --remove-orphans to remove them");
  }
  if (project && !options.disabled)
    if (auto text = left_alone(*project, now); !text.empty()) t.plan_.warnings.push_back(std::move(text));
  take_networks(t, removals);
  if (options.volumes) take_volumes(t, removals);
  return std::move(t.plan_);
}

Plan plan_stop(std::shared_ptr<const compose::project> project, const observed& now,
               const std::vector<std::string>& services, std::optional<int> timeout) {
  taker t(std::move(project), now);
  std::map<std::string, std::vector<int>> last;
  auto order = t.order();
  for (auto name = order.rbegin(); name != order.rend(); ++name) {
    if (!chosen(services, *name)) continue;
    const auto after = dependents_of(t.graph(), *name, last);
    for (const auto* c : containers_of(now, *name)) {
      if (!active(*c)) continue;
      auto& op = t.add_for(op_kind::stop_container, *c, "stop", timeout);
      op.after = after;
      last[*name].push_back(op.id);
    }
  }
  return std::move(t.plan_);
}

namespace {

// Start or restart in dependency order, with the conditions of what is started here.
void bring_up(taker& t, const std::vector<std::string>& services, op_kind kind, const char* cause,
              std::optional<int> timeout) {
  std::map<std::string, std::vector<int>> last;
  for (const auto& name : t.order()) {
    if (!chosen(services, name)) continue;
    for (const auto* c : containers_of(t.now(), name)) {
      if (kind == op_kind::start_container && active(*c)) continue;
      auto& op = t.add_for(kind, *c, cause, timeout);
      for (const auto& [on, how] : t.graph().at(name)) {
        const auto begun = last.find(on);
        if (begun == last.end()) continue;
        op.after.insert(op.after.end(), begun->second.begin(), begun->second.end());
        if (how.condition == "service_healthy" || how.condition == "service_completed_successfully")
          op.waits.push_back({on, how.condition, how.required});
      }
      last[name].push_back(op.id);
    }
  }
}

}  // namespace

Plan plan_start(std::shared_ptr<const compose::project> project, const observed& now,
                const std::vector<std::string>& services) {
  taker t(std::move(project), now);
  bring_up(t, services, op_kind::start_container, "start", {});
  return std::move(t.plan_);
}

Plan plan_restart(std::shared_ptr<const compose::project> project, const observed& now,
                  const std::vector<std::string>& services, std::optional<int> timeout) {
  taker t(std::move(project), now);
  bring_up(t, services, op_kind::restart_container, "restart", timeout);
  return std::move(t.plan_);
}

std::vector<std::string> with_followers(std::shared_ptr<const compose::project> project, const observed& now,
                                        const std::vector<std::string>& services) {
  const taker t(project, now);
  const auto on = [&](const std::string& name) { return !project || project->services.contains(name); };
  auto all = services;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const auto& [other, edges] : t.graph()) {
      const auto edge = edges.find(all[i]);
      if (edge == edges.end() || !edge->second.restart || !on(other)) continue;
      if (std::find(all.begin(), all.end(), other) == all.end()) all.push_back(other);
    }
  return all;
}

}  // namespace difyd::stack
