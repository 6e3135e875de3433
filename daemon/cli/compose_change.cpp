// The commands of `difyd compose` that change something.
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "compose_progress.hpp"
#include "compose_session.hpp"
#include "difyd/base/clock.hpp"
#include "difyd/host/registry_credentials.hpp"
#include "difyd/stack/executor.hpp"
#include "difyd/stack/observe.hpp"

namespace difyd::cli {
namespace {

duration waiting_limit(const compose_options& options) {
  return options.wait_timeout > 0 ? duration(std::chrono::seconds(options.wait_timeout))
                                  : std::chrono::hours(24);
}

task<Result<>> carry_out(engine::client& engine, stack::Plan plan, const compose_options& options) {
  print_warnings(plan.warnings);
  plan_progress progress(plan, options.quiet ? "quiet" : options.progress);
  if (plan.empty()) co_return Result<>{};
  stack::apply_options how;
  how.progress = [&progress](const stack::operation& op, const stack::op_progress& p) {
    progress.show(op, p);
  };
  how.warn = [](const std::string& text) { print_warnings({text}); };
  how.registry_auth = host::registry_auth_for;
  how.base_environment = host::proxies_of(http::to_text(engine.where()));
  // docker compose has no limit of its own.
  how.dependency_limit = waiting_limit(options);
  auto done = co_await stack::apply(engine, std::move(plan), std::move(how));
  if (!done) co_return std::unexpected(done.error());
  co_return Result<>{};
}

using stack::observing;

task<Result<stack::observed>> look(engine::client& engine, chosen_project of, observing depth) {
  stack::observe_options how;
  how.project = of.project;
  how.depth = depth;
  co_return co_await stack::observe(engine, of.name, std::move(how));
}

Result<stack::plan_options> plan_options_from(const compose_options& options, const compose::project& p) {
  stack::plan_options to;
  to.services = options.services;
  to.with_dependencies = !options.no_deps;
  to.force_recreate = options.force_recreate;
  to.no_recreate = options.no_recreate;
  to.remove_orphans = options.remove_orphans;
  to.start = !options.no_start;
  to.renew_anonymous_volumes = options.renew_volumes;
  to.timeout = options.timeout;
  to.binds.engine_creates_below = p.working_dir + "/volumes";
  if (!options.version.empty()) to.dialect = stack::dialect_of(options.version);
  if (options.pull == "always") to.pull = stack::pull_when::always;
  if (options.pull == "missing") to.pull = stack::pull_when::missing;
  if (options.pull == "never") to.pull = stack::pull_when::never;
  for (const auto& each : options.scale) {
    const auto equals = each.find('=');
    int count = -1;
    if (equals != std::string::npos)
      std::from_chars(each.data() + equals + 1, each.data() + each.size(), count);
    if (count < 0) return fail("usage", "cannot scale " + each + ": write SERVICE=NUMBER");
    to.scale[each.substr(0, equals)] = count;
  }
  return to;
}

task<Result<stack::Plan>> plan_up(engine::client& engine, std::shared_ptr<compose::project> project,
                                  stack::plan_options wishes, observing depth) {
  auto now = co_await look(engine, {project, project->name}, depth);
  if (!now) co_return std::unexpected(now.error());
  if (engine.where().is_unix()) now->missing_sources = stack::missing_bind_sources(*project);
  co_return stack::plan(project, *now, wishes);
}

// Of the images that are pulled again when they are old.
task<stack::image_ages> ages_of(engine::client& engine, std::shared_ptr<compose::project> project) {
  stack::image_ages ages;
  const auto now = std::chrono::system_clock::now();
  for (const auto& [name, s] : project->services) {
    if (s.image.empty() || !stack::refresh_period(s.pull_policy)) continue;
    const auto image = co_await engine.images.inspect(s.image);
    // One that cannot be had is told about by the plan.
    if (!image) continue;
    const auto tagged = parse_rfc3339(image->last_tagged).value_or(wall_time{});
    ages[s.image] = std::chrono::duration_cast<std::chrono::seconds>(now - tagged);
  }
  co_return ages;
}

task<Result<>> bring_up(engine::client& engine, std::shared_ptr<compose::project> project,
                        const compose_options& options) {
  auto wishes = plan_options_from(options, *project);
  if (!wishes) co_return std::unexpected(wishes.error());
  const auto ages = co_await ages_of(engine, project);
  auto refreshed = co_await carry_out(engine, stack::plan_refresh(project, *wishes, ages), options);
  if (!refreshed) co_return refreshed;
  auto plan = co_await plan_up(engine, project, *wishes, observing::listed);
  // Most often there is nothing to do, and that needs no look at each container.
  if (plan && !plan->empty()) plan = co_await plan_up(engine, project, *wishes, observing::detailed);
  if (!plan) co_return std::unexpected(plan.error());
  auto done = co_await carry_out(engine, std::move(*plan), options);
  if (!done || !options.wait) co_return done;
  co_return co_await stack::wait_until_ready(engine, project, options.services, waiting_limit(options));
}

using services_wanted = std::optional<std::vector<std::string>>;  // empty list: all; nothing: none

// As docker compose: what is named, else the services of the file whose profile is enabled. Without a
// file whatever there is.
Result<services_wanted> services_meant(const chosen_project& of, const std::vector<std::string>& named) {
  if (!of.project) return named;
  for (const auto& name : named)
    if (!of.project->services.contains(name) && !of.project->disabled_services.contains(name))
      return fail("no-such-service", "no such service: " + name);
  if (!named.empty()) return named;
  if (of.project->services.empty()) return std::nullopt;
  std::vector<std::string> enabled;
  for (const auto& [name, s] : of.project->services) enabled.push_back(name);
  return enabled;
}

task<Result<>> stop_all(engine::client& engine, chosen_project of, const compose_options& options) {
  const auto services = services_meant(of, options.services);
  if (!services) co_return std::unexpected(services.error());
  if (!*services) co_return Result<>{};
  auto now = co_await look(engine, of, observing::inspected);
  if (!now) co_return std::unexpected(now.error());
  co_return co_await carry_out(engine, stack::plan_stop(of.project, *now, **services, options.timeout),
                               options);
}

// All but those with `attach: false`; empty: all.
std::vector<std::string> shown_services(const compose::project& p) {
  std::vector<std::string> shown;
  for (const auto& [name, s] : p.services)
    if (s.attach.value_or(true)) shown.push_back(name);
  if (shown.size() == p.services.size()) shown.clear();
  return shown;
}

// `up` without -d: shows the logs until everything has ended or Ctrl-C, which stops the project.
task<int> stay_attached(engine::client& engine, chosen_project of, compose_options options) {
  auto logs = options;
  logs.follow = true;
  logs.services = shown_services(*of.project);
  const int code = co_await print_logs(engine, of.name, logs, true);
  if (code != 130) co_return code;
  std::fputs("\nGracefully stopping... (press Ctrl+C again to force)\n", stderr);
  auto stopped = co_await stop_all(engine, of, options);
  co_return stopped ? 130 : report_compose(stopped.error());
}

// Guards, runs and reports one changing command.
template <class Work>
int change(const std::string& project, Work work) {
  return with_engine([&](engine::client& engine) -> task<int> {
    auto allowed = co_await refuse_if_supervised(engine, project);
    if (!allowed) co_return report_compose(allowed.error());
    Result<> done = co_await work(engine);
    co_return done ? int(compose_done) : report_compose(done.error());
  });
}

}  // namespace

int compose_up(const compose_options& options) {
  auto loaded = load_project(options, true);
  if (!loaded) return report_compose(loaded.error());
  auto project = *loaded;
  compose::drop_provided_services(*project);
  compose::drop_unused_resources(*project);
  return with_engine([&](engine::client& engine) -> task<int> {
    auto allowed = co_await refuse_if_supervised(engine, project->name);
    if (!allowed) co_return report_compose(allowed.error());
    auto done = co_await bring_up(engine, project, options);
    if (!done) co_return report_compose(done.error());
    if (options.detach || options.wait || options.no_start) co_return int(compose_done);
    co_return co_await stay_attached(engine, {project, project->name}, options);
  });
}

int compose_down(const compose_options& options) {
  auto of = project_or_name(options);
  if (!of) return report_compose(of.error());
  return change(of->name, [&](engine::client& engine) -> task<Result<>> {
    auto now = co_await look(engine, *of, observing::inspected);
    if (!now) co_return std::unexpected(now.error());
    stack::down_options how;
    how.volumes = options.volumes;
    how.remove_orphans = options.remove_orphans;
    how.disabled = false;
    how.timeout = options.timeout;
    co_return co_await carry_out(engine, stack::plan_down(of->project, *now, how), options);
  });
}

int compose_stop(const compose_options& options) {
  auto of = project_or_name(options);
  if (!of) return report_compose(of.error());
  return change(of->name,
                [&](engine::client& engine) -> task<Result<>> { return stop_all(engine, *of, options); });
}

namespace {

template <class MakePlan>
int with_plan(const compose_options& options, MakePlan make) {
  auto of = project_or_name(options);
  if (!of) return report_compose(of.error());
  const auto services = services_meant(*of, options.services);
  if (!services) return report_compose(services.error());
  return change(of->name, [&](engine::client& engine) -> task<Result<>> {
    if (!*services) co_return Result<>{};
    auto now = co_await look(engine, *of, observing::inspected);
    if (!now) co_return std::unexpected(now.error());
    for (const auto& service : options.services)
      if (stack::containers_of(*now, service).empty())
        co_return fail("no-such-service",
                       "service \"" + service + "\" has no container in project " + of->name,
                       "Create it: difyd compose up -d " + service);
    co_return co_await carry_out(engine, make(*of, *now, **services), options);
  });
}

}  // namespace

int compose_start(const compose_options& options) {
  return with_plan(options, [](const chosen_project& of, const stack::observed& now,
                               const std::vector<std::string>& services) {
    return stack::plan_start(of.project, now, services);
  });
}

int compose_restart(const compose_options& options) {
  return with_plan(options, [&](const chosen_project& of, const stack::observed& now,
                                const std::vector<std::string>& services) {
    return stack::plan_restart(of.project, now, stack::with_followers(of.project, now, services),
                               options.timeout);
  });
}

int compose_pull(const compose_options& options) {
  auto loaded = load_project(options, true);
  if (!loaded) return report_compose(loaded.error());
  return with_engine([&](engine::client& engine) -> task<int> {
    auto done = co_await carry_out(engine, stack::plan_pull(*loaded, options.services), options);
    co_return done ? int(compose_done) : report_compose(done.error());
  });
}

}  // namespace difyd::cli
