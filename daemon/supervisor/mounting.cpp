#include "mounting.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/holders.hpp"
#include "difyd/host/probes.hpp"
#include "engine_work.hpp"
#include "links.hpp"
#include "operations.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

bool hangs(const std::string& code) {
  return code == "storage-hung" || code == "storage-stale" || code == "mount-hung-here";
}

bool is_missing(const std::string& code) {
  return code == "mount-missing" || code == "mount-foreign" || code == "mount-missing-here";
}

const finding* find(const std::vector<finding>& findings, std::string_view subject, auto matches) {
  const auto found = std::ranges::find_if(
      findings, [&](const finding& each) { return each.subject == subject && matches(each.code); });
  return found == findings.end() ? nullptr : &*found;
}

task<Result<host::mount_facts>> mount_facts_of(world& w, const host::mount_wish& wish, bool answers) {
  host::mount_facts facts;
  facts.answers = answers;
  auto mounts = host::read_mounts();
  if (!mounts) co_return fail(mounts.error());
  facts.mounts = std::move(*mounts);
  if (const auto fstab = read_file("/etc/fstab")) facts.fstab = host::parse_fstab(*fstab);
  if (auto written = read_file(host::mount_unit_file(wish.point))) facts.written = std::move(*written);
  auto unit = co_await w.units.state(host::mount_unit_name(wish.point));
  if (!unit) co_return fail(unit.error());
  facts.unit = std::move(*unit);
  co_return facts;
}

task<Result<>> write_unit(world& w, const host::mount_wish& wish) {
  ::mkdir("/run/systemd/system", 0755);  // there as soon as anything is in it
  auto written = replace_file(host::mount_unit_file(wish.point), host::mount_unit_text(wish), 0644);
  if (!written) co_return written;
  co_return co_await w.units.reload();
}

// One attempt. Nothing is mounted by difyd itself: systemd bounds it, logs it and cleans up after it.
task<Result<>> mount_once(world& w, const std::string& operation, bool answers) {
  const auto wish = host::wish_of(storage_expectation(w));
  const auto facts = co_await mount_facts_of(w, wish, answers);
  if (!facts) co_return fail(facts.error());
  const auto decision = host::decide_mount(wish, *facts);
  if (decision.act == host::mount_act::none) co_return Result<>{};
  if (decision.act == host::mount_act::refuse) co_return fail(decision.refusal);
  w.events.tell(operation, "storage", wish.point, "working",
                "mounting " + wish.source + ": " + decision.cause);
  if (decision.write)
    if (auto written = co_await write_unit(w, wish); !written) co_return written;
  const std::string unit = host::mount_unit_name(wish.point);
  ++w.mounting.attempts;
  auto done = decision.act == host::mount_act::restart ? co_await w.units.restart(unit)
                                                       : co_await w.units.start(unit);
  if (done) w.events.tell(operation, "storage", wish.point, "done", wish.source + " is mounted");
  co_return done;
}

// What does not need trying again at once: nothing that is tried changes it.
duration pause_after(const Error& error, int attempts) {
  const bool for_a_human = error.code == "mount-unit-foreign" || error.code == "mount-foreign" ||
                           error.code == "systemd-missing" || error.code == "systemd-refused";
  return for_a_human ? 30s : delay_after(attempts);
}

task<Result<>> mount_with_back_off(world& w, const std::string& operation, bool answers) {
  auto& memory = w.mounting;
  if (memory.last && steady::now() < memory.not_before) co_return fail(*memory.last);
  auto done = co_await mount_once(w, operation, answers);
  if (done) done = co_await prove_storage(w);
  if (done) {
    memory = {};
    w.dead_mounts = true;
    co_return done;
  }
  if (!memory.last || memory.last->message != done.error().message)
    w.events.tell(operation, "storage", w.settings.storage.root, "failed", sentence(done.error()));
  memory.last = done.error();
  memory.not_before = steady::now() + pause_after(done.error(), memory.attempts);
  co_return done;
}

using proof = std::optional<std::string>;

// Of what a container has from the storage, by way of the release's volumes or directly: on which device it
// is.
host::device_of_place places_on_storage(const world& w, const stack::observed_container& container,
                                        const std::vector<host::mount>& mounts) {
  host::device_of_place places;
  const auto release = *w.in_force.get();
  const std::string root = w.settings.storage.root + "/",
                    volumes = release ? release->folder + "/volumes/" : root;
  for (const auto& each : container.mounts) {
    std::string source = each.source;
    if (source.starts_with(volumes)) source = root + source.substr(volumes.size());
    if (each.type != "bind" || !source.starts_with(root)) continue;
    if (const auto* holder = host::mount_holding(mounts, source)) places[each.target] = holder->device;
  }
  return places;
}

task<proof> dead_mount_in(world& w, std::string container, host::mount_wish wish, host::mount now,
                          host::device_of_place places) {
  const auto inspected = co_await w.engine.containers.inspect(std::move(container));
  if (!inspected || inspected->state.pid <= 0) co_return std::nullopt;
  co_return co_await host::dead_mount_of(inspected->state.pid, std::move(wish), std::move(now),
                                         std::move(places), w.storage.options());
}

// By service, the proof that a running container of it holds a dead mount. All are looked at together: what
// is dead keeps each look waiting.
task<std::map<std::string, std::string>> holders_of_dead_mounts(world& w, const stack::observed& seen) {
  std::map<std::string, std::string> found;
  const auto wish = host::wish_of(storage_expectation(w));
  const auto mounts = host::read_mounts();
  const auto* now = mounts ? host::find_mount(*mounts, wish.point) : nullptr;
  if (!now) co_return found;
  std::vector<std::string> services;
  std::vector<task<proof>> looks;
  for (const auto& each : seen.containers) {
    if (each.one_off || !each.running()) continue;
    services.push_back(each.service);
    looks.push_back(dead_mount_in(w, each.id, wish, *now, places_on_storage(w, each, *mounts)));
  }
  auto proofs = co_await when_all(std::move(looks));
  for (std::size_t i = 0; i < proofs.size(); ++i)
    if (proofs[i]) found.emplace(services[i], std::move(*proofs[i]));
  co_return found;
}

task<Result<std::string>> restart_holders(world& w, const std::string& operation) {
  const auto release = *w.in_force.get();
  if (!release) co_return std::string();
  const auto seen = co_await look(w, project_of(release));
  if (!seen) co_return fail(seen.error());
  std::vector<std::string> services;
  for (const auto& [service, why] : co_await holders_of_dead_mounts(w, *seen)) {
    if (!release->project.services.contains(service)) continue;
    w.events.tell(operation, "service", service, "working", "restarted, because " + why);
    services.push_back(service);
  }
  if (services.empty()) co_return std::string();
  auto plan = stack::plan_restart(project_of(release), *seen, services);
  if (auto restarted = co_await carry_out(w, std::move(plan), operation); !restarted)
    co_return fail(restarted.error());
  co_return "; restarted, because they held the former mount: " + join(services, ", ");
}

}  // namespace

duration delay_after(int failed_mounts) {
  duration delay = 2s;
  for (int i = 1; i < failed_mounts && delay < 60s; ++i) delay *= 2;
  return std::min<duration>(delay, 60s);
}

mount_need need_of(const std::vector<finding>& findings, bool dead_mounts, duration remount_after,
                   wall_time now) {
  if (find(findings, "storage", is_missing)) return mount_need::mount;
  if (const auto* hung = find(findings, "storage", hangs)) {
    // Where the server is away mounting again only takes away what comes back by itself with the server.
    const bool here = find(findings, "storage.second-mount",
                           [](const std::string& code) { return code == "second-mount-answers"; });
    const bool lasted = hung->since != wall_time{} && now - hung->since >= remount_after;
    return here && (lasted || hung->code == "storage-stale") ? mount_need::remount : mount_need::none;
  }
  const bool good =
      find(findings, "storage", [](const std::string& code) { return code == "storage-writable"; });
  return dead_mounts && good ? mount_need::look : mount_need::none;
}

task<Result<>> have_storage(world& w, std::string operation) {
  auto proven = co_await prove_storage(w);
  if (proven) w.mounting = {};
  if (proven || !w.settings.storage.manage) co_return proven;
  auto need = is_missing(proven.error().code) ? mount_need::mount : mount_need::none;
  // Whether it hangs only here the probes know, which go on meanwhile.
  if (hangs(proven.error().code))
    need =
        need_of(*w.findings.get(), false, w.settings.storage.remount_after, std::chrono::system_clock::now());
  if (need == mount_need::none) co_return proven;
  co_return co_await mount_with_back_off(w, operation, need == mount_need::mount);
}

task<Result<>> let_go_of_dead_mounts(world& w, std::string operation) {
  if (w.settings.storage.kind == "local") co_return Result<>{};
  const auto release = *w.in_force.get();
  const auto project = release ? project_of(release) : project_ptr();
  const auto seen = co_await look(w, project);
  if (!seen) co_return fail(seen.error());
  std::vector<std::string> services;
  for (const auto& [service, why] : co_await holders_of_dead_mounts(w, *seen)) {
    w.events.tell(operation, "service", service, "working", "stopped, because " + why);
    services.push_back(service);
  }
  if (!services.empty())
    if (auto stopped = co_await carry_out(w, stack::plan_stop(project, *seen, services), operation); !stopped)
      co_return stopped;
  w.dead_mounts = false;
  co_return Result<>{};
}

task<ended> mend_storage(world& w, std::string operation, mount_need need) {
  // Since it was proposed a start may have mounted it: its containers hold what is there now.
  if (need != mount_need::look && !co_await prove_storage(w))
    if (auto mounted = co_await mount_with_back_off(w, operation, need != mount_need::remount); !mounted)
      co_return failed_with(mounted.error());
  if (w.stands.get()->at != phase::serving) co_return done_as("the storage answers");
  auto restarted = co_await restart_holders(w, operation);
  if (!restarted) co_return failed_with(restarted.error());
  w.dead_mounts = false;
  co_return done_as("the storage answers" + *restarted);
}

task<void> keep_mount(world& w) {
  auto seen = w.findings.version();
  for (;;) {
    const auto findings = co_await w.findings.changed(seen);
    seen = w.findings.version();
    const auto now = std::chrono::system_clock::now();
    auto need = need_of(*findings, w.dead_mounts, w.settings.storage.remount_after, now);
    if (find(*findings, "storage", [](const std::string& code) { return hangs(code) || is_missing(code); }))
      w.dead_mounts = true;
    if (!w.settings.storage.manage && need != mount_need::look) need = mount_need::none;
    // The start mounts what is missing itself; containers are looked at once Dify should be up.
    const auto at = w.stands.get()->at;
    const bool due = at == phase::serving || need == mount_need::remount ||
                     (need == mount_need::mount && at != phase::starting);
    if (need != mount_need::none && due) propose_mending(w, need);
  }
}

}  // namespace difyd::supervisor
