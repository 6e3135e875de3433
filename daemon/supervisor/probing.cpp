#include "probing.hpp"

#include <algorithm>
#include <random>

#include "difyd/health/keeper.hpp"
#include "difyd/health/probes.hpp"
#include "known.hpp"
#include "probe_list.hpp"
#include "replacing.hpp"

namespace difyd::supervisor {
namespace {

using findings = std::vector<finding>;

finding no_backup() {
  finding found;
  found.subject = "backup";
  found.code = "backup-none";
  found.level = severity::warning;
  found.detail = "no backup is configured: an upgrade that fails half-way cannot be taken back by difyd";
  found.remedy = "Take backups of the databases and the storage root by other means before each upgrade";
  return found;
}

finding invalid_configuration(const Error& why) {
  return {"configuration",
          "configuration-invalid",
          severity::error,
          "the last good configuration is used, and nothing is started: " + why.message,
          "Correct it (difyd config check), then: systemctl restart difyd",
          false,
          {}};
}

findings known_now(const world& w) {
  known_facts facts;
  facts.refused = w.refused;
  facts.edited_bundle = w.edited_bundle;
  facts.edited_overlay = w.edited_overlay;
  facts.not_kept = w.not_kept;
  if (w.book) facts.book = w.book->current();
  facts.backups = *w.backups.get();
  const auto stands = w.stands.get();
  facts.at = stands->at;
  facts.message = stands->message;
  facts.options = stands->options;
  facts.since = stands->since;
  facts.configured = w.settings.version;
  if (const auto release = *w.in_force.get()) facts.secret_key = release->environment.secret_key;
  facts.now = std::chrono::system_clock::now();
  if (w.maintenance) facts.maintenance_since = w.maintenance->since;
  if (w.maintenance) facts.maintenance_reason = w.maintenance->reason;
  auto all = known_findings(facts);
  if (w.invalid_configuration) all.push_back(invalid_configuration(*w.invalid_configuration));
  if (w.settings.upgrade.backup == "none") all.push_back(no_backup());
  for (auto& each : replacement_findings(*w.replacements.get(), policy_of(w.settings), facts.now))
    all.push_back(std::move(each));
  return all;
}

findings with_known(const world& w, const findings& probed) {
  auto all = known_now(w);
  std::vector<std::string> own;
  if (w.settings.redis.kind == "bundled") own.push_back("redis");
  if (w.settings.database.kind == "bundled") own.push_back("database");
  for (const auto& found : probed)
    if (meant(found, w.stands.get()->at, own)) all.push_back(found);
  return all;
}

health::damping damping_of(const world& w, const probe& which) {
  if (!which.damped) return {1, 1};
  return {w.settings.health.failures, w.settings.health.successes};
}

// The start brings back what does not answer; an operation knows itself what it takes down.
void mind_the_port(world& w) {
  const auto now = w.findings.get();
  const auto silent = std::ranges::find_if(*now, [](const finding& each) {
    return each.subject.starts_with("port.") && each.level >= severity::error;
  });
  if (silent == now->end()) return;
  if (w.stands.get()->at == phase::serving && !w.chief.busy_with(priority::converge))
    stand(w, phase::starting, "Dify does not answer: " + silent->detail);
}

// What is well takes another time at each look: that is no news.
bool says_the_same(const finding& one, const finding& other) {
  return one.level == severity::ok ? one.subject == other.subject && one.code == other.code : one == other;
}

void put(world& w, const probe& which, findings found) {
  w.board.put(which.name, std::move(found), damping_of(w, which), std::chrono::system_clock::now());
  auto all = w.board.all();
  // Each look at the storage may be the one after which something is due (mounting.cpp).
  const bool news = which.name == "storage" || !std::ranges::equal(all, *w.findings.get(), says_the_same);
  if (news) w.findings.set(std::move(all));
  if (which.name == "port") mind_the_port(w);
}

// While it lives nobody else looks with that probe.
class looking {
 public:
  looking(world& w, const probe& which) : w_(w), name_(which.name) {
    change([&](auto& now) { now.insert(name_); });
  }
  looking(const looking&) = delete;
  looking& operator=(const looking&) = delete;
  ~looking() {
    change([&](auto& now) { now.erase(name_); });
  }

 private:
  void change(auto how) {
    auto now = *w_.looking.get();
    how(now);
    w_.looking.set(std::move(now));
  }

  world& w_;
  const std::string name_;
};

task<void> look_now(world& w, const probe& which) {
  const looking mine(w, which);
  const auto begun = std::chrono::steady_clock::now();
  auto found = co_await health::guarded(which.name, which.look(w), which.limit);
  auto& run = w.probe_runs[which.name];
  run.took = std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begun);
  run.ended = std::chrono::system_clock::now();
  ++run.number;
  run.found = found;
  put(w, which, std::move(found));
}

// Who asks while it looks gets what it finds: looks at what hangs would only wait for each other. A look
// whose asker has gone finds nothing.
task<findings> look(world& w, const probe& which) {
  const auto& run = w.probe_runs[which.name];
  const auto before = run.number;
  while (w.looking.get()->contains(which.name)) co_await w.looking.changed(w.looking.version());
  if (run.number == before) co_await look_now(w, which);
  co_return run.found;
}

// Not all at the same moment; oftener what is broken, and soon again what is about to turn.
duration until_next(const world& w, const probe& which) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto interval = w.settings.health.probe_interval;
  auto time = interval * which.every;
  if (w.board.bad(which.name)) time = interval;
  if (w.board.unsettled(which.name)) time = interval / 4;
  const auto spread = time.count() / 10;
  return time + duration(std::uniform_int_distribution<duration::rep>(-spread, spread)(random));
}

task<void> keep_looking(world& w, const probe& which) {
  for (;;) {
    co_await look(w, which);
    co_await pause(until_next(w, which));
  }
}

task<Result<>> changed(cell<stack::observed>& what, std::uint64_t seen) {
  co_await what.changed(seen);
  co_return Result<>{};
}

// Costs nothing but a look at what is known: whenever that changes.
task<void> keep_looking_at_services(world& w, const probe& which) {
  for (;;) {
    const auto seen = w.observed.version();
    co_await look(w, which);
    (void)co_await with_deadline(changed(w.observed, seen), w.settings.health.probe_interval, "see a change");
  }
}

}  // namespace

std::vector<finding> findings_now(const world& w) { return with_known(w, *w.findings.get()); }

task<std::vector<finding>> probe_everything(world& w) {
  std::vector<task<findings>> looks;
  for (const auto& each : probes()) looks.push_back(look(w, each));
  auto results = co_await when_all(std::move(looks));
  const auto before = *w.findings.get();
  findings all;
  for (const auto& found : results) all.insert(all.end(), found.begin(), found.end());
  co_return with_known(w, health::keep_since(before, std::move(all), std::chrono::system_clock::now()));
}

void start_probing(world& w, task_group& owner) {
  for (const auto& each : probes())
    owner.spawn("probe " + each.name,
                each.name == "services" ? keep_looking_at_services(w, each) : keep_looking(w, each));
}

}  // namespace difyd::supervisor
