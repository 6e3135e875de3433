#include "commands.hpp"

#include <set>

#include "difyd/base/text.hpp"
#include "engine_work.hpp"
#include "known.hpp"
#include "leasing.hpp"
#include "load_release.hpp"
#include "maintenance.hpp"
#include "owed_commands.hpp"
#include "page.hpp"
#include "start.hpp"
#include "upgrading.hpp"

namespace difyd::supervisor {

task<ended> take_down(world& w, std::string id) {
  const auto release = *w.in_force.get();
  const auto project = release ? project_of(release) : project_ptr();
  if (auto marked = set_stopped_by_operator(w, true); !marked) co_return failed_with(marked.error());
  stand_stopped(w);
  if (auto ended = co_await end_commands(w); !ended) co_return failed_with(ended.error());
  auto seen = co_await look(w, project);
  if (!seen) co_return failed_with(seen.error());
  stack::down_options options;
  options.one_offs = false;
  auto down = co_await carry_out(w, stack::plan_down(project, *seen, options), id);
  auto after = co_await look(w, project);
  if (!down) co_return failed_with(down.error());
  if (!after) co_return failed_with(after.error());
  co_await put_page_up_while_down(w);
  // Another machine need not wait for what may still run here.
  if (w.lease && w.lease->held()) (void)co_await renew_lease(w);
  co_return done_as("the stack is down; difyd up starts it again");
}

task<ended> stand_down(world& w, std::string id) {
  stand(w, phase::waiting_for_lease, "the lease was lost: it is " + *w.lease_text.get());
  if (auto ended = co_await end_commands(w); !ended) co_return failed_with(ended.error());
  auto seen = co_await look(w);
  if (!seen) co_return failed_with(seen.error());
  auto stopped = co_await carry_out(w, stack::plan_stop(nullptr, *seen), id);
  auto after = co_await look(w);
  if (!stopped) co_return failed_with(stopped.error());
  if (!after) co_return failed_with(after.error());
  co_return done_as("the stack is stopped until the lease is ours again");
}

task<ended> restart(world& w, std::string id, std::vector<std::string> services) {
  const auto release = *w.in_force.get();
  if (!release)
    co_return failed_with({"nothing-deployed", "cannot restart: no stack is up", "Start it: difyd up"});
  const auto& known = release->project.services;
  for (const auto& service : services)
    if (!known.contains(service)) {
      std::vector<std::string> names;
      for (const auto& [name, definition] : known) names.push_back(name);
      co_return failed_with({"no-such-service",
                             "cannot restart " + service + ": the stack has no such service",
                             "It has " + join(names, ", ")});
    }
  if (services.empty()) services = services_to_run(w, *release);
  for (const auto& service : services)
    if (kept_down(w, service))
      co_return ended{
          "refused",
          {},
          {"maintenance-on", "cannot restart " + service + ": maintenance is on, and its port is the page's",
           "Let visitors in: difyd maintenance off"}};
  auto seen = co_await look(w, project_of(release));
  if (!seen) co_return failed_with(seen.error());
  auto restarted = co_await carry_out(w, stack::plan_restart(project_of(release), *seen, services), id);
  if (!restarted) co_return failed_with(restarted.error());
  co_return done_as("restarted");
}

task<ended> resume_held(world& w, std::string id) {
  const auto* held = held_upgrade(w.book->current());
  if (!held)
    co_return failed_with({"nothing-held", "cannot resume: no upgrade is held", "See: difyd status"});
  const auto from = held->from;
  const auto to = held->to;
  // It was let in, so what applies was acknowledged.
  std::set<std::string> acknowledged;
  if (from)
    if (const auto applying = co_await advisories_of(w, *from, to))
      for (const auto& each : *applying) acknowledged.insert(each.id);
  co_return co_await upgrade_by_operator(w, std::move(id), to, {std::move(acknowledged), {}});
}

}  // namespace difyd::supervisor
