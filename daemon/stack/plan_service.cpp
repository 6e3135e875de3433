// The containers of one service in a plan.
#include <algorithm>
#include <tuple>

#include "planner.hpp"

namespace difyd::stack {

std::string policy_of(const compose::service& s) {
  if (s.deploy && s.deploy->restart_policy) {
    const auto& p = *s.deploy->restart_policy;
    if (p.condition == "none") return "no";
    if (p.condition == "any" || p.condition.empty()) return "always";
    return p.max_attempts ? p.condition + ":" + std::to_string(*p.max_attempts) : p.condition;
  }
  return s.restart.empty() || s.restart == "none" ? "no" : s.restart;
}

Result<> planner::plan_service(const std::string& name) {
  const auto& s = project_->services.at(name);
  const auto scaled = options_.scale.find(name);
  const auto wanted = static_cast<std::size_t>(
      std::max(0, scaled == options_.scale.end() ? compose::wanted_scale(s) : scaled->second));
  outcomes_[name];

  std::vector<std::pair<const container*, verdict>> existing;
  for (const auto* c : alive(name)) existing.emplace_back(c, judge(s, *c));
  if (existing.size() > wanted) {
    // Outdated ones go first, then the highest numbers.
    const auto rank = [](const auto& each) {
      return std::make_tuple(each.second.fate == fate::recreate, each.first->number, each.first->name);
    };
    std::sort(existing.begin(), existing.end(),
              [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    std::vector<int> removals;
    for (auto surplus = existing.begin() + static_cast<std::ptrdiff_t>(wanted); surplus != existing.end();
         ++surplus)
      stop_and_remove(*surplus->first, "surplus: scaled to " + std::to_string(wanted), removals);
    existing.resize(wanted);
  }
  int highest = 0;
  for (const auto* c : containers_of(now_, name)) highest = std::max(highest, c->number);
  for (const auto& [c, v] : existing)
    if (auto done = plan_container(s, *c, v); !done) return done;
  for (std::size_t count = existing.size(); count < wanted; ++count)
    if (auto done = plan_new(s, ++highest); !done) return done;
  return {};
}

Result<> planner::plan_container(const compose::service& s, const container& c, const verdict& v) {
  if (v.fate == fate::recreate) {
    auto after = prepare(s);
    if (!after) return std::unexpected(after.error());
    auto& op = add_for(op_kind::recreate_container, c, v.cause);
    op.after.insert(op.after.end(), after->begin(), after->end());
    op.new_name = container_name(*project_, s, c.number);
    op.inherited = inherited_by(s, c);
    const int id = op.id;
    outcomes_[s.name].made.push_back(id);
    start(s, c.number, nullptr, "recreated", {id});
    return {};
  }
  connect_missing(s, c);
  if (v.fate == fate::start) {
    auto folders = bind_sources(s);
    if (!folders) return std::unexpected(folders.error());
    start(s, c.number, &c, v.cause, *folders);
    return {};
  }
  if (c.state == "paused")
    plan_.warnings.push_back("container " + c.name + " is paused; docker unpause " + c.name);
  (void)take_policy(s, c.number, &c, {});
  kept_.push_back(&c);
  return {};
}

Result<> planner::plan_new(const compose::service& s, int number) {
  auto after = prepare(s);
  if (!after) return std::unexpected(after.error());
  auto& op = add(op_kind::create_container, container_name(*project_, s, number), "missing");
  op.service = s.name;
  op.number = number;
  op.after = *after;
  const int id = op.id;
  outcomes_[s.name].made.push_back(id);
  start(s, number, nullptr, "created", {id});
  return {};
}

// Before the start, so that there is no moment in which the engine would restart it by itself.
std::optional<int> planner::take_policy(const compose::service& s, int number, const container* c,
                                        std::vector<int> after) {
  const auto wanted = policy_of(s);
  if (wanted == "no" || options_.restarts == restart_owner::engine) return std::nullopt;
  const bool mine = options_.restarts == restart_owner::supervisor;
  if (c == nullptr && !mine) return std::nullopt;  // just made with the file's policy
  const auto target = mine ? std::string("no") : wanted;
  if (c != nullptr &&
      (c->restart_policy.empty() ? "no" : c->restart_policy) == target.substr(0, target.find(':')))
    return std::nullopt;
  const std::string cause = mine ? "restarts are difyd's" : "restarts are given back to the engine";
  auto& op = c != nullptr ? add_for(op_kind::set_restart_policy, *c, cause)
                          : add(op_kind::set_restart_policy, container_name(*project_, s, number), cause);
  op.service = s.name;
  op.number = number;
  op.policy = target;
  op.after.insert(op.after.end(), after.begin(), after.end());
  return op.id;
}

void planner::start(const compose::service& s, int number, const container* c, std::string cause,
                    std::vector<int> after) {
  if (const auto policy = take_policy(s, number, c, after)) after.push_back(*policy);
  if (!options_.start) return;
  auto& op = c != nullptr
                 ? add_for(op_kind::start_container, *c, std::move(cause))
                 : add(op_kind::start_container, container_name(*project_, s, number), std::move(cause));
  op.service = s.name;
  op.number = number;
  op.after.insert(op.after.end(), after.begin(), after.end());
  for (const auto* gone : {&orphans_gone_, &leftovers_gone_[s.name]})
    op.after.insert(op.after.end(), gone->begin(), gone->end());
  wait_for_dependencies(s, op);
  outcomes_[s.name].started.push_back(op.id);
}

void planner::wait_for_dependencies(const compose::service& s, operation& op) const {
  for (const auto& [on, how] : graph_.at(s.name)) {
    const auto outcome = outcomes_.find(on);
    if (outcome == outcomes_.end()) continue;  // not selected
    op.after.insert(op.after.end(), outcome->second.started.begin(), outcome->second.started.end());
    if (how.condition != "service_healthy" && how.condition != "service_completed_successfully") continue;
    const auto existing = alive(on);
    if (!outcome->second.changed()) {
      if (existing.empty()) continue;  // scaled to nothing
      const bool holds = std::all_of(existing.begin(), existing.end(), [&](const container* c) {
        return how.condition == "service_healthy" ? c->running() && c->health == "healthy"
                                                  : c->state == "exited" && c->exit_code == 0;
      });
      if (holds) continue;
    }
    op.waits.push_back({on, how.condition, how.required});
  }
  std::sort(op.after.begin(), op.after.end());
  op.after.erase(std::unique(op.after.begin(), op.after.end()), op.after.end());
}

void planner::connect_missing(const compose::service& s, const container& c) {
  if (!s.network_mode.empty()) return;
  for (const auto& key : compose::networks_by_priority(s)) {
    const auto& name = project_->networks.at(key).name;
    if (c.networks.contains(name)) continue;
    auto& op = add_for(op_kind::connect_network, c, "not attached to network " + name);
    op.network = key;
    op.after.insert(op.after.end(), networks_[key].begin(), networks_[key].end());
  }
}

std::vector<inherited_volume> planner::inherited_by(const compose::service& s, const container& c) const {
  std::vector<inherited_volume> volumes;
  if (options_.renew_anonymous_volumes) return volumes;
  const auto image = now_.images.find(image_reference(*project_, s));
  for (const auto& held : c.mounts) {
    if (held.type != "volume") continue;
    const auto own = std::find_if(s.volumes.begin(), s.volumes.end(),
                                  [&](const auto& m) { return m.target == held.target; });
    const bool anonymous = own != s.volumes.end() && own->type == "volume" && own->source.empty();
    const bool of_image =
        own == s.volumes.end() && image != now_.images.end() && image->second.volumes.contains(held.target);
    if (anonymous || of_image) volumes.push_back({held.name, held.target, held.read_only});
  }
  return volumes;
}

// What keeps running although something that it depends on started anew: dependents with
// restart: true, and those that resolve names only once.
void planner::restart_followers() {
  for (const auto& name : in_order(graph_)) {
    if (!in_scope(name) || outcomes_[name].changed()) continue;
    const bool once = options_.resolves_once.contains(name);
    std::vector<std::string> moved;
    std::vector<int> after;
    for (const auto& [on, how] : graph_.at(name)) {
      if (!(once || how.restart) || !outcomes_[on].changed()) continue;
      moved.push_back(on);
      after.insert(after.end(), outcomes_[on].started.begin(), outcomes_[on].started.end());
    }
    if (moved.empty()) continue;
    const auto cause = moved.front() + (once ? " has a new address" : " started anew");
    for (const auto* c : alive(name)) {
      if (!c->running()) continue;
      auto& op = add_for(op_kind::restart_container, *c, cause);
      op.after.insert(op.after.end(), after.begin(), after.end());
      wait_for_dependencies(project_->services.at(name), op);
      outcomes_[name].started.push_back(op.id);
    }
  }
}

}  // namespace difyd::stack
