#include "probe_stack.hpp"

#include <algorithm>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/upgrade/guard.hpp"
#include "engine_work.hpp"
#include "healing.hpp"
#include "maintenance.hpp"
#include "page.hpp"
#include "probe_list.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using findings = std::vector<finding>;

constexpr const char* set_up_marker = ".difyd/set-up";

finding events_finding(bool open) {
  if (open)
    return {"engine.events", "events-open", severity::ok, "the engine tells what happens", {}, false, {}};
  return {"engine.events",
          "events-closed",
          severity::warning,
          "the engine does not tell what happens to containers",
          "difyd asks again by itself; meanwhile what dies is noticed late",
          false,
          {}};
}

// Restarts of its unit did not help.
void give_up(findings& found, const std::string& why) {
  for (auto& each : found)
    if (each.code == "engine-away") {
      each = {"engine",
              "engine-dead",
              severity::critical,
              each.detail + "; " + why,
              "See journalctl -u docker; a new machine gets a new engine",
              true,
              {}};
    }
}

task<bool> was_set_up(world& w, const Result<std::string>& step) {
  if (!w.book) co_return false;
  if (!w.set_up) {
    const auto marker = co_await w.storage.read(set_up_marker, 1024);
    if (!marker && marker.error().code != "file-missing") co_return false;
    w.set_up = marker.has_value();
  }
  if (step && *step == "finished" && !*w.set_up) {
    const auto now = to_rfc3339(std::chrono::system_clock::now());
    if (co_await w.storage.write(set_up_marker, "seen at " + now + "\n", 0644)) w.set_up = true;
  }
  co_return *w.set_up;
}

void name_looping(findings& found, const std::map<std::string, std::string>& looping) {
  for (auto& each : found) {
    const auto name = each.subject.substr(each.subject.find('.') + 1);
    const auto one = looping.find(name);
    if (one == looping.end()) continue;
    each = {each.subject,
            "service-crash-looping",
            severity::error,
            one->second + ": " + each.detail,
            "difyd logs " + name + " says why; difyd goes on trying, less and less often",
            false,
            {}};
  }
}

finding environment_finding(const std::vector<std::string>& keys) {
  if (keys.empty())
    return {"environment", "env-ok", severity::ok, "the .env is the one that difyd wrote", {}, false, {}};
  const bool many = keys.size() > 6;
  const std::vector<std::string> few(keys.begin(),
                                     keys.begin() + (many ? 6 : static_cast<long>(keys.size())));
  return {
      "environment",
      "env-edited",
      severity::warning,
      "the .env was edited by hand, and what runs does not have it: " + join(few, ", ") +
          (many ? " and " + std::to_string(keys.size() - few.size()) + " more" : ""),
      "Write what you want below environment of difyd's configuration; a restart of difyd, difyd up and an "
      "upgrade write the .env anew, and keep this one beside the folder as env.before",
      false,
      {}};
}

}  // namespace

std::vector<health::expected_service> services_of(const compose::project& project) {
  std::vector<health::expected_service> services;
  for (const auto& [name, service] : project.services)
    if (compose::wanted_scale(service) > 0) services.push_back({name, release::one_shot(project, name)});
  return services;
}

bool stack_is_meant(const world& w) {
  const auto release = *w.in_force.get();
  return release && (w.stands.get()->at == phase::serving || fallen(w));
}

task<findings> look_at_engine(world& w) {
  // No owner: the world outlives every probe.
  const std::shared_ptr<engine::client> engine(std::shared_ptr<void>(), &w.engine);
  auto found = co_await health::probe_engine(engine);
  if (w.engine_given_up) give_up(found, *w.engine_given_up);
  const bool answers = worst(found) < severity::error;
  if (answers && w.data_root.empty())
    if (auto info = co_await w.engine.info(5s)) w.data_root = info->data_root;
  if (answers && w.watches) found.push_back(events_finding(w.events_open));
  co_return found;
}

task<findings> look_at_services(world& w) {
  if (!stack_is_meant(w)) co_return findings{};
  const auto release = *w.in_force.get();
  const auto now = w.observed.get();
  const auto known = services_of(release->project);
  auto expected = known;
  std::erase_if(expected, [&](const auto& each) { return kept_down(w, each.name); });
  const auto time = std::chrono::system_clock::now();
  const auto rules = heal_policy_of(w.settings);
  auto found = health::judge_services(expected, *now, health::recovering(w.healed, rules, time));
  name_looping(found, health::looping(w.healed, rules, time));
  const std::vector<std::string> own_runs{upgrade::upgrade_label, upgrade::purpose_label};
  for (auto& each : health::judge_containers(known, *now, own_runs)) found.push_back(std::move(each));
  co_return found;
}

task<findings> look_at_port(world& w) {
  if (!stack_is_meant(w) || closed(w)) co_return findings{};  // closed: the page answers there
  const auto release = *w.in_force.get();
  const auto where = published_entrance(release->project);
  if (!where) co_return findings{};
  auto found = co_await health::probe_port({"port.api", where->asked, where->port, "/console/api/ping"});
  for (auto& each : co_await health::probe_port({"port.web", where->asked, where->port, "/signin"}))
    found.push_back(std::move(each));
  co_return found;
}

task<findings> look_at_dify(world& w) {
  if (!stack_is_meant(w)) co_return findings{};
  const auto release = *w.in_force.get();
  findings found;
  const auto api = address_of(*w.observed.get(), w.settings.project, release::api_service(release->project));
  if (!api.empty())
    found.push_back(
        health::judge_api_version(co_await health::ask_api_version(api), release->version.text()));
  if (const auto where = published_entrance(release->project); where && !closed(w)) {
    const auto step = co_await health::ask_setup(where->asked, where->port);
    const bool before = co_await was_set_up(w, step);
    found.push_back(health::judge_setup(step, before));
  }
  co_return found;
}

std::vector<std::string> keys_that_differ(const std::string& one, const std::string& other) {
  const auto mine = release::read_environment(one), theirs = release::read_environment(other);
  if (!mine || !theirs) return {"what cannot be read"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : *mine)
    if (const auto found = theirs->find(key); found == theirs->end() || found->second != value)
      keys.push_back(key);
  for (const auto& [key, value] : *theirs)
    if (!mine->contains(key)) keys.push_back(key);
  std::ranges::sort(keys);
  return keys;
}

task<findings> look_at_environment(world& w) {
  if (!stack_is_meant(w)) co_return findings{};
  const auto release = *w.in_force.get();
  const auto written = read_file(release->folder + "/.env", 4u << 20);
  if (!written || *written == release->environment.text) co_return findings{environment_finding({})};
  co_return findings{environment_finding(keys_that_differ(*written, release->environment.text))};
}

}  // namespace difyd::supervisor
