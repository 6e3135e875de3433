#include "guarding.hpp"

#include <algorithm>

#include "difyd/base/log.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "known.hpp"
#include "leasing.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// In a hold nothing comes up but what the upgrade had got to. The sessions are left alone: whoever mends the
// database needs one.
std::optional<upgrade::guarded> rules_of_hold(const world& w) {
  const auto* held =
      w.book && w.stands.get()->at == phase::holding ? held_upgrade(w.book->current()) : nullptr;
  const auto release = *w.in_force.get();
  if (!held || !release || release->version != held->to) return std::nullopt;
  const bool started = std::ranges::any_of(w.book->current().in_flight->entries,
                                           [](const auto& entry) { return entry.step == "start"; });
  return guard_rules(w, held->id, release->project, started);
}

std::optional<upgrade::guarded> rules_now(const world& w) {
  const auto upgrading = *w.guarded.get();
  return upgrading ? upgrading : rules_of_hold(w);
}

void report(world& w, const std::string& upgrade, const upgrade::intruder& found, const Result<>& ended) {
  w.events.tell(upgrade, "guard", "guard", ended ? "done" : "failed",
                ended ? "ended " + found.text + ": it is not part of this upgrade"
                      : "cannot end " + found.text + ": " + ended.error().message);
}

task<Result<>> end_session(world& w, int pid) {
  const auto database = w.database;
  if (!database) co_return Result<>{};
  auto done = co_await database->terminate(w.settings.database.main, pid);
  if (!done) co_return fail(done.error());
  co_return Result<>{};
}

std::set<std::string> addresses_of(const world& w, const database::server_facts& facts) {
  std::set<std::string> addresses = {facts.client_address};
  const auto now = w.observed.get();
  for (const auto& container : now->containers)
    for (const auto& [name, endpoint] : container.networks) addresses.insert(endpoint.address);
  return addresses;
}

task<Result<>> next_start(world& w, std::uint64_t seen) {
  co_await w.container_started.changed(seen);
  co_return Result<>{};
}

}  // namespace

upgrade::guarded guard_rules(const world& w, std::string id, const compose::project& project, bool started) {
  upgrade::guarded rules;
  rules.id = std::move(id);
  rules.project = w.settings.project;
  rules.started = started;
  for (const auto& service : infrastructure(project)) rules.allowed[service];
  for (const auto& service : release::bystanders(project)) rules.allowed[service];
  for (const auto& service : release::preparers(project)) rules.allowed[service];
  if (!started) return rules;
  for (const auto& [name, service] : project.services) rules.allowed[name];
  for (const auto& name : release::database_users(project))
    rules.allowed[name] = release::image_of(project, name);
  return rules;
}

guard::guard(world& w, task_group& owner) : world_(w), owner_(owner) {}

task<void> guard::run() {
  for (;;) {
    const auto seen = world_.container_started.version();  // what starts while it looks is looked at next
    if (auto rules = rules_now(world_)) co_await look_once(std::move(*rules));
    (void)co_await with_deadline(next_start(world_, seen), 1s, "see a container start");
  }
}

task<void> guard::look_once(upgrade::guarded rules) {
  world& w = world_;
  const auto still = [&] { return rules_now(w) == rules; };  // the step may have ended meanwhile
  if (!co_await still_ours(w) || !still()) co_return;
  engine::container_filter running;
  running.all = false;
  const auto containers = co_await w.engine.containers.list(running, 10s);
  if (containers && still()) {
    for (auto& found : upgrade::intruders(rules, *containers))
      if (dying_.insert(found.container).second)
        owner_.spawn("guard's kill", kill(rules.id, std::move(found)));
  }
  const auto database = w.database;
  if (!database || rules.role.empty()) co_return;
  const auto& names = w.settings.database;
  const auto sessions = co_await database->sessions(names.main, {names.main, names.plugin}, {});
  if (!sessions || !still()) co_return;
  const auto facts = co_await database->facts(names.main);
  if (!facts || !still()) co_return;
  auto foreign = upgrade::intruders(rules, *sessions, addresses_of(w, *facts));
  // What the new version has started since the last look may be connected already.
  if (!foreign.empty() && rules.started) {
    if (auto seen = co_await look(w); !seen || !still()) co_return;
    foreign = upgrade::intruders(rules, *sessions, addresses_of(w, *facts));
  }
  for (const auto& found : foreign) {
    const auto ended = co_await end_session(w, found.session);
    if (!still()) co_return;
    report(w, rules.id, found, ended);
  }
}

task<void> guard::kill(std::string upgrade, upgrade::intruder found) {
  const auto killed = co_await world_.engine.containers.kill(found.container, "SIGKILL", 10s);
  const bool ended_by_itself =
      !killed && (killed.error().code == "engine-conflict" || killed.error().code == "engine-not-found");
  if (!ended_by_itself) report(world_, upgrade, found, killed);
  dying_.erase(found.container);
}

}  // namespace difyd::supervisor
