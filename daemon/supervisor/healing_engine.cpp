// The engine's unit. A hung or dead engine takes the containers' supervision along, not the containers.
#include <algorithm>

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/systemd.hpp"
#include "healing.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr int most_restarts = 3;  // each may take minutes; what these do not cure is worth another machine
constexpr auto restart_limit = 180s;  // an engine that is frozen is killed by systemd after 90 s only
constexpr auto patience = 15s;        // systemd restarts an engine that crashed by itself

// No upgrade's engine is taken away by anybody but the upgrade.
bool may_restart(const world& w) {
  const auto at = w.stands.get()->at;
  return (at == phase::serving || at == phase::starting || at == phase::waiting_for_lease) &&
         !w.chief.busy_with(priority::command);
}

bool engine_is_away(const world& w) {
  const auto now = w.findings.get();
  return std::ranges::any_of(
      *now, [](const finding& each) { return each.subject == "engine" && each.level == severity::critical; });
}

health::heal_policy rules_of(const world& w) {
  auto rules = heal_policy_of(w.settings);
  rules.budget = std::min(rules.budget, most_restarts);
  rules.first_delay = 5s;
  return rules;
}

task<void> restart_unit(world& w, host::systemd& units, std::string unit) {
  w.events.tell("", "step", unit, "begun", "the engine does not answer: " + unit + " is restarted");
  const auto now = std::chrono::system_clock::now();
  w.healed[unit].push_back(now);
  health::forget(w.healed, rules_of(w), now);
  const auto done = co_await units.restart(unit, restart_limit);
  w.events.tell("", "step", unit, done ? "done" : "failed",
                done ? unit + " was restarted" : done.error().message);
  // Nothing was tried, so nothing is known of the engine.
  if (!done && (done.error().code == "systemd-missing" || done.error().code == "systemd-refused"))
    w.healed.erase(unit);
}

}  // namespace

std::string engine_unit(const config::settings& settings) {
  if (!settings.engine_unit.empty()) return settings.engine_unit;
  const auto& host = settings.engine_host;
  return host.empty() || host == "unix:///var/run/docker.sock" || host == "unix:///run/docker.sock"
             ? "docker.service"
             : "";
}

task<void> keep_engine(world& w) {
  const auto unit = engine_unit(w.settings);
  host::systemd units(w.executor);
  std::optional<std::chrono::steady_clock::time_point> away;
  while (!unit.empty()) {
    co_await pause(1s);
    if (!engine_is_away(w)) {
      away.reset();
      w.engine_given_up.reset();
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!away) away = now;
    if (now - *away < patience || !may_restart(w)) continue;
    const auto proposed = health::heal({{unit, health::service_condition::exited}}, rules_of(w), w.healed,
                                       std::chrono::system_clock::now());
    for (const auto& each : proposed) {
      if (each.act == health::heal_act::give_up)
        w.engine_given_up = std::to_string(w.healed[unit].size()) + " restarts of " + unit + " did not help";
      if (each.act == health::heal_act::restart) co_await restart_unit(w, units, unit);
    }
  }
}

}  // namespace difyd::supervisor
