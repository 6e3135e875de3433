#include "difyd/stack/plan.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "planner.hpp"

namespace difyd::stack {

Result<Plan> plan(std::shared_ptr<const compose::project> project, const observed& now,
                  const plan_options& options) {
  return planner(std::move(project), now, options).run();
}

planner::planner(std::shared_ptr<const compose::project> project, const observed& now,
                 const plan_options& options)
    : project_(std::move(project)), now_(now), options_(options), graph_(graph_of(*project_)) {
  plan_.project = project_;
  plan_.project_name = project_->name;
  plan_.dialect = options.dialect.value_or(dialect_in_use(now));
  for (const auto& [service, upstreams] : options.resolves_once)
    for (const auto& upstream : upstreams) add_soft_edge(graph_, service, upstream);
  for (const auto& [name, s] : project_->services)
    for (const auto& [on, how] : s.depends_on)
      if (how.condition == "service_completed_successfully") one_shots_.insert(on);
}

Result<Plan> planner::run() {
  if (auto done = choose_services(); !done) return std::unexpected(done.error());
  if (auto done = check_scale(); !done) return std::unexpected(done.error());
  repair_leftovers();
  if (auto done = make_networks(); !done) return std::unexpected(done.error());
  if (auto done = make_volumes(); !done) return std::unexpected(done.error());
  if (auto done = handle_orphans(); !done) return std::unexpected(done.error());
  for (const auto& [name, s] : project_->services)
    if (const auto existing = alive(name); !existing.empty()) namespace_ids_[name] = existing.front()->id;
  for (const auto& name : in_order(graph_))
    if (in_scope(name))
      if (auto done = plan_service(name); !done) return std::unexpected(done.error());
  if (options_.start) restart_followers();
  note_kept();
  pulls_first(plan_);
  return std::move(plan_);
}

void planner::note_kept() {
  std::set<std::string> touched;
  for (const auto& op : plan_.operations) touched.insert(op.container_id);
  for (const auto* c : kept_)
    if (c->state == "running" && !touched.contains(c->id)) plan_.kept.push_back(c->name);
}

Result<> planner::choose_services() {
  for (const auto& name : options_.services)
    if (!project_->services.contains(name)) {
      std::vector<std::string> known;
      for (const auto& [each, s] : project_->services) known.push_back(each);
      const auto near = closest(name, known);
      return fail(
          "no-such-service",
          "cannot find service " + name + ": the project " + project_->name + " has none of that name",
          near.empty() ? "" : "Did you mean " + near + "?");
    }
  if (options_.services.empty())
    for (const auto& [name, s] : project_->services) scope_.insert(name);
  else if (options_.with_dependencies)
    scope_ = with_dependencies(graph_of(*project_), options_.services);
  else
    plan_.alone = scope_ = {options_.services.begin(), options_.services.end()};
  return {};
}

Result<> planner::check_scale() const {
  for (const auto& [name, count] : options_.scale) {
    const auto found = project_->services.find(name);
    if (found == project_->services.end())
      return fail("no-such-service", "cannot scale " + name + ": the project has no such service");
    if (count > 1 && !found->second.container_name.empty())
      return fail("scale-conflict",
                  "cannot scale " + name + " to " + std::to_string(count) + ": its container_name " +
                      found->second.container_name + " must be unique",
                  "Remove container_name from the service");
  }
  return {};
}

operation& planner::add(op_kind kind, std::string target, std::string cause) {
  operation op;
  op.id = static_cast<int>(plan_.operations.size()) + 1;
  op.kind = kind;
  op.target = std::move(target);
  op.cause = std::move(cause);
  plan_.operations.push_back(std::move(op));
  return plan_.operations.back();
}

operation& planner::add_for(op_kind kind, const container& c, std::string cause) {
  const auto renamed = renamed_.find(c.id);
  auto& op = add(kind, renamed == renamed_.end() ? c.name : renamed->second, std::move(cause));
  op.service = c.service;
  op.number = c.number;
  op.container_id = c.id;
  op.grace = c.stop_timeout;
  op.timeout = options_.timeout;
  if (const auto rename = renames_.find(c.id); rename != renames_.end()) op.after.push_back(rename->second);
  return op;
}

void planner::stop_and_remove(const container& c, const std::string& cause, std::vector<int>& removals) {
  std::vector<int> after;
  if (c.state == "running" || c.state == "restarting" || c.state == "paused")
    after.push_back(add_for(op_kind::stop_container, c, cause).id);
  auto& removal = add_for(op_kind::remove_container, c, cause);
  removal.after.insert(removal.after.end(), after.begin(), after.end());
  removals.push_back(removal.id);
  doomed_.insert(c.id);
}

// An interrupted recreation leaves <oldid12>_<name>. While the old container is there the new one
// has not been used: it goes. Once the old one is gone, the new one gets its name.
void planner::repair_leftovers() {
  for (const auto& c : now_.containers) {
    const auto name = final_name(c.name);
    if (c.one_off || name.empty() || c.label(label::replace).empty()) continue;
    const container* holder = nullptr;
    for (const auto& other : now_.containers)
      if (other.name == name) holder = &other;
    if (holder != nullptr && (!c.running() || holder->running())) {
      stop_and_remove(c, "left behind by an interrupted recreation of " + name, leftovers_gone_[c.service]);
      continue;
    }
    std::vector<int> removals;
    if (holder != nullptr) stop_and_remove(*holder, "replaced by an interrupted recreation", removals);
    auto& op = add_for(op_kind::rename_container, c, "finishes an interrupted recreation");
    op.new_name = name;
    op.after = removals;
    renamed_[c.id] = name;
    renames_[c.id] = op.id;
  }
}

std::vector<const observed_container*> planner::alive(const std::string& service) const {
  auto list = containers_of(now_, service);
  std::erase_if(list, [&](const container* c) { return doomed_.contains(c->id) || c->state == "removing"; });
  return list;
}

// Orphans go before anything starts: a renamed service must never meet its former self on the same data.
Result<> planner::handle_orphans() {
  std::vector<std::string> names;
  for (const auto& c : now_.containers) {
    if (c.one_off || doomed_.contains(c.id)) continue;
    if (project_->services.contains(c.service) || project_->disabled_services.contains(c.service)) continue;
    if (options_.remove_orphans) {
      stop_and_remove(c, "orphan: the project has no service " + c.service, orphans_gone_);
      continue;
    }
    names.push_back(c.name);
    if (!options_.refuse_shared_data || !c.running()) continue;
    for (const auto& service : scope_)
      for (const auto& m : project_->services.at(service).volumes)
        for (const auto& held : c.mounts)
          if (!held.read_only && held.target == m.target && !m.source.empty() &&
              (held.source == m.source || held.name == m.source))
            return fail(
                "shared-data",
                "cannot start " + service + ": orphan container " + c.name + " still uses " + m.source,
                "Remove the orphan (--remove-orphans)");
  }
  if (!names.empty())
    plan_.warnings.push_back("Found orphan containers (" + join(names, ", ") +
                             ") for this project. If you removed or " +
                             "renamed this service, run again with --remove-orphans to clean them up");
  return {};
}

}  // namespace difyd::stack
