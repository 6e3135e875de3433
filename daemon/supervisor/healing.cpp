#include "healing.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "maintenance.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

using addresses = std::map<std::string, std::string>;

// What nginx has resolved once, at its start (plan_options::resolves_once).
addresses upstreams(const world& w, const compose::project& project, const std::string& nginx) {
  addresses result;
  const stack::plan_options defaults;
  const auto names = defaults.resolves_once.find(nginx);
  if (names == defaults.resolves_once.end()) return result;
  for (const auto& each : names->second)
    if (project.services.contains(each))
      result[each] = address_of(*w.observed.get(), w.settings.project, each);
  return result;
}

task<Result<>> restart_services(world& w, release_ptr release, std::vector<std::string> services,
                                std::string id) {
  auto seen = co_await look(w, project_of(release));
  if (!seen) co_return fail(seen.error());
  auto plan = stack::plan_restart(project_of(release), *seen, services);
  co_return co_await carry_out(w, std::move(plan), id);
}

// An address that went from one service to another leads visitors to the wrong one.
task<Result<>> let_nginx_follow(world& w, release_ptr release, addresses before, std::string id) {
  const auto nginx = release::nginx_service(release->project);
  if (auto seen = co_await look(w, project_of(release)); !seen) co_return fail(seen.error());
  if (nginx.empty() || kept_down(w, nginx) || upstreams(w, release->project, nginx) == before)
    co_return Result<>{};
  const std::vector<std::string> only{nginx};
  co_return co_await restart_services(w, release, only, id);
}

}  // namespace

health::heal_policy heal_policy_of(const config::settings& settings) {
  health::heal_policy rules;
  rules.budget = settings.health.restart_budget;
  rules.budget_window = duration_cast<seconds>(settings.health.restart_window);
  return rules;
}

bool may_heal(const world& w) {
  return w.stands.get()->at == phase::serving && !w.chief.busy_with(priority::command);
}

task<ended> heal(world& w, std::string id, std::vector<std::string> ill) {
  const auto release = *w.in_force.get();
  if (!release || w.stands.get()->at != phase::serving) co_return done_as("nothing to heal");
  auto options = plan_defaults(*release);
  options.services = services_to_run(w, *release);
  auto plan = co_await plan_release(w, release, std::move(options));
  if (!plan) co_return failed_with(plan.error());
  auto applied = co_await carry_out(w, std::move(*plan), id);
  if (!applied) co_return failed_with(applied.error());
  if (!ill.empty()) {
    auto before = upstreams(w, release->project, release::nginx_service(release->project));
    if (auto again = co_await restart_services(w, release, ill, id); !again)
      co_return failed_with(again.error());
    if (auto followed = co_await let_nginx_follow(w, release, std::move(before), id); !followed)
      co_return failed_with(followed.error());
  }
  auto after = co_await look(w, project_of(release));
  if (!after) co_return failed_with(after.error());
  co_return done_as(ill.empty() ? "the stack is as it should be" : "restarted " + join(ill, ", "));
}

}  // namespace difyd::supervisor
