#include "engine_work.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/host/registry_credentials.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/labels.hpp"
#include "difyd/stack/observe.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "maintenance.hpp"
#include "page.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

control::event service_event(const std::string& operation, const stack::operation& op,
                             const stack::op_progress& progress) {
  control::event event;
  event.operation = operation;
  event.kind = op.kind == stack::op_kind::pull_image ? "pull" : "service";
  event.subject = op.target;
  event.state = stack::to_text(progress.state);
  event.text = progress.text.empty() ? std::string(stack::to_text(op.kind)) + ", " + op.cause : progress.text;
  return event;
}

// A pull tells every few kilobytes; people and the event log need a few lines.
bool worth_telling(const stack::op_progress& progress) {
  using stack::op_state;
  return progress.state != op_state::waiting &&
         (progress.state != op_state::working || progress.fraction < 0);
}

// Several containers may wait for the same service.
std::vector<awaited> distinct(const std::map<int, awaited>& waits) {
  std::vector<awaited> result;
  for (const auto& [id, each] : waits)
    if (std::ranges::find(result, each) == result.end()) result.push_back(each);
  return result;
}

}  // namespace

task<Result<stack::observed>> look(world& w, project_ptr project) {
  stack::observe_options options;
  options.project = std::move(project);
  auto seen = co_await stack::observe(w.engine, w.settings.project, std::move(options));
  if (seen) w.observed.set(*seen);
  co_return seen;
}

stack::plan_options plan_defaults(const release::release& of) {
  stack::plan_options options;
  options.restarts = stack::restart_owner::supervisor;
  options.binds.difyd_creates_below = of.folder + "/volumes";
  options.refuse_shared_data = true;
  return options;
}

project_ptr project_of(const release_ptr& release) { return {release, &release->project}; }

task<Result<stack::Plan>> plan_release(world& w, release_ptr release, stack::plan_options options) {
  // Nothing is started on a storage that is not proven.
  if (auto proven = co_await prove_storage(w); !proven) co_return fail(proven.error());
  const auto project = project_of(release);
  auto seen = co_await look(w, project);
  if (!seen) co_return fail(seen.error());
  // Bind sources are on the storage root: looking for them may hang.
  auto missing = co_await w.files.run<std::set<std::string>>(
      [project]() -> Result<std::set<std::string>> { return stack::missing_bind_sources(*project); }, 20s,
      "look for the bind sources");
  if (!missing) co_return fail(missing.error());
  seen->missing_sources = std::move(*missing);
  co_return stack::plan(project, *seen, options);
}

task<Result<>> carry_out(world& w, stack::Plan plan, const std::string& operation) {
  stack::apply_options options;
  wait_scope scope(w.waits, operation, options.dependency_limit);
  std::map<int, awaited> waits;  // by operation of the plan
  options.progress = [&](const stack::operation& op, const stack::op_progress& progress) {
    if (progress.state == stack::op_state::waiting)
      waits[op.id] = awaited_of(progress.text);
    else
      waits.erase(op.id);
    scope.set(distinct(waits));
    if (worth_telling(progress)) w.events.add(service_event(operation, op, progress));
  };
  options.registry_auth = host::registry_auth_for;
  options.base_environment = host::proxies_of(http::to_text(w.engine.where()));
  options.stops_regardless = true;
  // A machine that was frozen, or cut off while it pulled, wakes up beside another one that has the
  // databases. What serves is healed without asking: the database may be away for a while.
  const auto at = w.stands.get()->at;
  if (at == phase::upgrading || at == phase::starting) options.may_start = [&w] { return still_ours(w); };
  auto report = co_await stack::apply(w.engine, std::move(plan), std::move(options));
  if (!report) co_return fail(report.error());
  co_return Result<>{};
}

task<Result<stack::job_result>> run_job(world& w, project_ptr project, stack::job_spec job) {
  job.base_environment = host::proxies_of(http::to_text(w.engine.where()));
  co_return co_await stack::run_job(w.engine, std::move(project), stack::dialect_in_use(*w.observed.get()),
                                    std::move(job));
}

task<Result<>> bring_up(world& w, release_ptr release, std::vector<std::string> services,
                        const std::string& operation, duration limit, bool remove_orphans) {
  auto options = plan_defaults(*release);
  options.services = services;
  options.remove_orphans = remove_orphans;
  auto plan = co_await plan_release(w, release, std::move(options));
  if (!plan) co_return fail(plan.error());
  if (auto applied = co_await carry_out(w, std::move(*plan), operation); !applied) co_return applied;
  co_return co_await await_ready(w, release, std::move(services), operation, limit);
}

task<Result<>> bring_all_up(world& w, release_ptr release, const std::string& operation,
                            bool remove_orphans) {
  const auto limit = w.settings.upgrade.start_timeout;
  const std::string nginx = release::nginx_service(release->project);
  if (kept_down(w, nginx)) {
    put_page_up(w, *release);
    if (auto stopped = co_await stop_services(w, project_of(release), {nginx}, std::nullopt, operation);
        !stopped)
      co_return stopped;
    co_return co_await bring_up(w, release, services_to_run(w, *release), operation, limit, remove_orphans);
  }
  // What nginx shows comes first: it looks its upstreams up once, and then need not wait for the rest.
  auto later = release::bystanders(release->project);
  for (auto& each : release::worker_services(release->project)) later.push_back(std::move(each));
  later.push_back(nginx);
  std::vector<std::string> shown;
  for (const auto& [name, service] : release->project.services)
    if (std::ranges::find(later, name) == later.end()) shown.push_back(name);
  if (!nginx.empty()) {
    if (auto up = co_await bring_up(w, release, shown, operation, limit, remove_orphans); !up) co_return up;
    if (auto free = co_await take_page_down(w, *release); !free) co_return free;
    // Alone, for it is what Dify is waited for by.
    if (auto up = co_await bring_up(w, release, {nginx}, operation, limit, false); !up) co_return up;
  }
  co_return co_await bring_up(w, release, {}, operation, limit, remove_orphans);
}

task<Result<>> have_networks(world& w, release_ptr release, const std::string& operation) {
  auto plan = co_await plan_release(w, release, plan_defaults(*release));
  if (!plan) co_return fail(plan.error());
  // Networks and volumes depend on nothing that is left out here.
  std::erase_if(plan->operations, [](const auto& each) {
    return each.kind != stack::op_kind::create_network && each.kind != stack::op_kind::create_volume;
  });
  co_return co_await carry_out(w, std::move(*plan), operation);
}

task<Result<>> stop_services(world& w, project_ptr project, std::vector<std::string> services,
                             std::optional<int> grace_seconds, const std::string& operation) {
  if (services.empty()) co_return Result<>{};
  auto seen = co_await look(w, project);
  if (!seen) co_return fail(seen.error());
  auto stopped = co_await carry_out(w, stack::plan_stop(project, *seen, services, grace_seconds), operation);
  if (!stopped) co_return stopped;
  auto after = co_await look(w, project);
  if (!after) co_return fail(after.error());
  for (const auto& container : after->containers)
    if (container.running() &&
        std::find(services.begin(), services.end(), container.service) != services.end())
      co_return fail("still-running", "cannot stop " + container.name + ": it runs again",
                     "Is another tool starting it? docker events --filter container=" + container.name);
  co_return Result<>{};
}

task<Result<std::map<std::string, std::string>>> have_images(world& w, project_ptr project,
                                                             const std::string& operation) {
  auto seen = co_await look(w, project);
  if (!seen) co_return fail(seen.error());
  auto pulls = stack::plan_pull(project);
  std::erase_if(pulls.operations, [&](const auto& each) { return seen->images.contains(each.target); });
  if (!pulls.empty()) {
    if (auto pulled = co_await carry_out(w, std::move(pulls), operation); !pulled)
      co_return fail(pulled.error());
    seen = co_await look(w, project);
    if (!seen) co_return fail(seen.error());
  }
  std::map<std::string, std::string> ids;
  for (const auto& [reference, image] : seen->images) ids[reference] = image.id;
  co_return ids;
}

task<void> sweep_migrators(world& w, std::string keep) {
  engine::container_filter filter;
  filter.labels = {std::string(stack::label::project) + "=" + w.settings.project, upgrade_label};
  const auto found = co_await w.engine.containers.list(filter);
  if (!found) co_return;
  for (const auto& each : *found)
    if (const auto of = each.labels.find(upgrade_label); of != each.labels.end() && of->second != keep)
      (void)co_await w.engine.containers.remove(each.id, false, true);
}

}  // namespace difyd::supervisor
