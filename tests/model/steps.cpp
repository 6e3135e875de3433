// The steps: supervisor/step_prepare.cpp, step_stop.cpp, step_migrate.cpp, step_start.cpp, and of
// engine_work.cpp what they use.
#include <algorithm>

#include "process.hpp"

namespace difyd::modelled {
namespace {

using upgrade::step;
using upgrade::step_result;

step_result good(bool irreversible = false) { return {true, irreversible, {}, {}}; }
step_result failed(const Error& error, bool irreversible = false) { return {false, irreversible, {}, error}; }
Error no_database() { return {"database-not-up", "cannot reach the database", {}}; }

}  // namespace

void process::begin(step at) {
  fence();
  step_ = at;
  stepping_ = true;
  w_.note("step " + std::string(upgrade::to_text(at)));
  if (at > step::drain && !w_.has_release(machine_, at == step::put_back ? from_ : to_))
    w_.violated("a machine without the release has to go on with it");
  w_.entering(machine_, at);
}

Result<> process::engine_answers() const {
  if (w_.dockerd_away > 0 && machine_ == 0) return fail("engine-gone", "cannot reach the engine");
  return {};
}

task<Result<>> process::ready(step) {
  stepping_ = false;
  if (is(defect::impatient)) co_return Result<>{};
  for (;;) {
    if (abort_requested()) co_return Result<>{};
    if (w_.lease == 1 - machine_) co_return fail("lease-lost", "another machine has the lease");
    if (engine_answers() && (w_.plan.bundled || (w_.reachable(machine_) && take_lease())))
      co_return Result<>{};
    co_await at("waits for what the step stands on");
  }
}

// stop_services and its proof.
task<Result<>> process::stop_all(role what) {
  for (std::size_t i = 0; i < w_.containers.size(); ++i) {
    if (auto answers = engine_answers(); !answers) co_return answers;
    auto& one = w_.containers[i];
    if (one.machine != machine_ || one.what != what || !one.running) continue;
    w_.stop(one);
    co_await at("a container stopped");
  }
  for (const auto& one : w_.containers)
    if (one.machine == machine_ && one.what == what && one.running)
      co_return fail("still-running", "cannot stop a container: it runs again");
  co_return Result<>{};
}

// What the version does not know is removed, and proven gone, before its own services start.
task<Result<>> process::remove_strangers(int version) {
  if (is(defect::two_data_services)) co_return Result<>{};
  for (std::size_t i = 0; i < w_.containers.size();) {
    if (auto answers = engine_answers(); !answers) co_return answers;
    const auto& one = w_.containers[i];
    if (one.machine != machine_ || one.what != role::data || w_.image(one.version) == w_.image(version)) {
      ++i;
      continue;
    }
    w_.containers.erase(w_.containers.begin() + static_cast<std::ptrdiff_t>(i));
    co_await at("a data service removed");
    i = 0;
  }
  co_return Result<>{};
}

task<Result<>> process::bring_up(int version, std::vector<role> services) {
  for (const auto each : services) {
    if (auto answers = engine_answers(); !answers) co_return answers;
    auto* one = w_.find(machine_, each, version);
    // Restart policies are difyd's as soon as it has seen a container.
    if (one) one->always = false;
    if (one && one->running && w_.same(*one, version)) continue;
    container wanted{each, version, machine_};
    fence();
    w_.starting(wanted);
    if (one)
      *one = wanted;
    else
      w_.containers.push_back(wanted);
    co_await at("a container started");
  }
  // await_ready, which starts again what ended.
  for (int looks = 0; looks < 4; ++looks) {
    bool all = true;
    for (const auto each : services) {
      if (auto answers = engine_answers(); !answers) co_return answers;
      auto* one = w_.find(machine_, each, version);
      if (!one) co_return fail("service-gone", "a container has gone");
      if (!one->running) {
        fence();
        w_.starting(*one);
        one->running = true;
        co_await at("a container started again");
        one = w_.find(machine_, each, version);
      }
      all = all && one && w_.healthy(*one);
    }
    if (all) co_return Result<>{};
    co_await at("waits for services");
  }
  co_return fail("not-ready", "cannot wait for the services any longer");
}

task<Result<>> process::data_up(int version) {
  if (!w_.plan.bundled) co_return Result<>{};
  if (auto removed = co_await remove_strangers(version); !removed) co_return removed;
  co_return co_await bring_up(version, {role::data});
}

task<Result<>> process::stop_other(int version) {
  if (is(defect::put_back_mixes)) co_return Result<>{};
  for (const auto each : {role::nginx, role::api, role::worker})
    if (const auto* one = w_.find(machine_, each, version); one && one->version != version && one->running)
      if (auto stopped = co_await stop_all(each); !stopped) co_return stopped;
  co_return Result<>{};
}

task<Result<>> process::bring_all_up(int version) {
  if (auto up = co_await data_up(version); !up) co_return up;
  if (auto up = co_await bring_up(version, {role::worker, role::api}); !up) co_return up;
  co_return co_await bring_up(version, {role::nginx});
}

task<Result<>> process::await_answers(int version) {
  for (int looks = 0; looks < 3; ++looks) {
    bool all = true;
    for (const auto each : {role::worker, role::api, role::nginx}) {
      const auto* one = w_.find(machine_, each, version);
      all = all && one && one->version == version && w_.healthy(*one);
    }
    if (all) co_return Result<>{};
    co_await at("waits for answers");
  }
  co_return fail("entrance-failed", "the published port does not answer");
}

task<Result<>> process::prove_silence() {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (w_.reachable(machine_) && !w_.sessions()) {
      w_.silence = true;
      co_return Result<>{};
    }
    co_await at("waits for silence");
  }
  co_return fail("sessions-left", "cannot go on: the databases are still used");
}

// On the engine too: a migrator that was just started has no session yet.
task<Result<>> process::migrators_gone() {
  if (is(defect::no_wait)) co_return Result<>{};
  for (int patience = 0; patience < 12;) {
    bool connected = w_.backend > 0, running = false;
    for (const auto& one : w_.containers)
      if (one.what == role::migrator && one.running) {
        running = running || one.machine == machine_;
        connected = connected || one.connected;
      }
    if (is(defect::sessions_only)) running = false;
    const bool known = w_.reachable(machine_) && engine_answers();
    if (known && !connected && !running) co_return Result<>{};
    if (!known) ++patience;
    co_await at("waits for an earlier migrator");
  }
  co_return fail(no_database());
}

task<step_result> process::admit() {
  begin(step::admit);
  co_await at("admitted");
  w_.sources[machine_].insert(to_);
  co_return good();
}

task<step_result> process::prepare() {
  begin(step::prepare);
  co_await at("pulls images");
  if (auto answers = engine_answers(); !answers) co_return failed(answers.error());
  if (w_.database_away > 0) co_return failed(no_database());
  co_return good();
}

task<step_result> process::drain() {
  begin(step::drain);
  // keep_target: a new machine before that has the old release only.
  if (!w_.has_release(machine_, to_)) co_return failed({"release-unknown", "cannot find the release", {}});
  co_await at("keeps the release on the share");
  if (!is(defect::kept_late)) w_.kept.insert(to_);
  co_await at("waits for the load balancer");
  if (auto stopped = co_await stop_all(role::worker); !stopped) co_return failed(stopped.error());
  co_return good();
}

task<step_result> process::stop() {
  begin(step::stop);
  for (const auto each : {role::nginx, role::api, role::worker})
    if (auto stopped = co_await stop_all(each); !stopped) co_return failed(stopped.error());
  if (w_.reachable(machine_))
    if (auto silent = co_await prove_silence(); !silent) co_return failed(silent.error());
  bool moved = false;
  if (w_.plan.bundled) {
    moved = w_.image(to_) != w_.image(from_);
    if (moved && !is(defect::data_unmarked)) {
      // Durable before the new image touches the data, like every begin entry.
      ledger::journal_entry line;
      line.step = "stop";
      line.irreversible = true;
      if (auto told = co_await write(ledger::with_entry(book_, std::move(line))); !told)
        co_return failed(told.error());
    }
    if (auto up = co_await data_up(to_); !up) co_return failed(up.error(), moved);
  }
  if (!w_.reachable(machine_)) co_return failed(no_database(), moved);
  if (!take_lease()) co_return failed({"lease-lost", "cannot go on without the lease", {}}, moved);
  if (auto silent = co_await prove_silence(); !silent) co_return failed(silent.error(), moved);
  co_return good(moved);
}

task<step_result> process::backup() {
  begin(step::backup);
  co_await at("takes a backup");
  co_return good();
}

task<step_result> process::migrate() {
  begin(step::migrate);
  watches_ = true;
  if (auto up = co_await data_up(to_); !up) co_return failed(up.error());
  co_await at("the database is up");
  if (!w_.reachable(machine_)) co_return failed(no_database());
  if (!take_lease()) co_return failed({"lease-lost", "cannot migrate without the lease", {}});
  if (auto gone = co_await migrators_gone(); !gone) co_return failed(gone.error());
  if (!is(defect::no_silence))
    if (auto silent = co_await prove_silence(); !silent) co_return failed(silent.error());
  co_return co_await run_migrator();
}

task<step_result> process::run_migrator() {
  co_await at("asks the image for its head");
  if (!w_.reachable(machine_)) co_return failed(no_database());
  if (auto answers = engine_answers(); !answers) co_return failed(answers.error());
  // What the old version left, kept in the journal from the first entry on.
  const ledger::baseline now{{std::to_string(w_.revision)}, std::to_string(w_.catalog)};
  auto kept = ledger::with_baseline(book_, now);
  if (kept && is(defect::catalog_forgotten)) kept->in_flight->baseline = now;
  if (auto written = co_await write(std::move(kept)); !written) co_return failed(written.error());
  // What cannot be read now is not called moved: putting back waits until it can be, and proves it.
  const auto moved = [this] { return w_.reachable(machine_) && has_moved(); };
  if (!w_.reachable(machine_) || !take_lease())
    co_return failed({"lease-lost", "cannot migrate without the lease", {}});
  if (auto answers = engine_answers(); !answers) co_return failed(answers.error());
  container job{role::migrator, to_, machine_};
  job.boot = 8;
  fence();
  w_.starting(job);
  std::erase_if(w_.containers, [this](const container& one) {
    return one.what == role::migrator && !one.running && one.machine == machine_;
  });
  w_.containers.push_back(job);
  Result<int> exit = fail("engine-gone", "cannot follow the migrator");
  for (;;) {
    co_await at("a migrator runs");
    if (!engine_answers()) break;
    const auto* one = w_.find(machine_, role::migrator, to_);
    if (!one) break;
    if (one->exit < 0) continue;
    exit = one->exit;
    break;
  }
  if (auto gone = co_await migrators_gone(); !gone) co_return failed(gone.error(), moved());
  if (!exit) co_return failed(exit.error(), moved());
  if (*exit != 0) co_return failed({"migration-failed", "the migration failed", {}}, moved());
  if (!w_.reachable(machine_)) co_return failed(no_database());
  if (w_.revision != w_.head(to_)) co_return failed({"migration-incomplete", "not the head", {}}, moved());
  co_return good(moved());
}

task<step_result> process::start() {
  begin(step::start);
  co_return co_await bring_new_up();
}

task<step_result> process::bring_new_up() {
  watches_ = true;
  ++w_.starts_of_new;
  if (auto up = co_await data_up(to_); !up) co_return failed(up.error());
  if (auto gone = co_await migrators_gone(); !gone) co_return failed(gone.error());
  if (!is(defect::start_unproven)) {
    if (!w_.reachable(machine_) || !take_lease()) co_return failed(no_database());
    if (w_.revision != w_.head(to_))
      co_return failed({"revision-mismatch", "the database does not hold the image's head", {}});
  }
  if (auto stopped = co_await stop_other(to_); !stopped) co_return failed(stopped.error());
  if (auto up = co_await bring_all_up(to_); !up) co_return failed(up.error());
  co_return good();
}

task<step_result> process::verify() {
  begin(step::verify);
  if (!watches_ && !is(defect::journal_believed))
    if (auto up = co_await bring_new_up(); !up.ok) co_return up;
  co_await at("asks the new version");
  if (auto answers = co_await await_answers(to_); !answers) co_return failed(answers.error());
  co_return good();
}

task<step_result> process::commit() {
  begin(step::commit);
  if (!watches_ && !is(defect::journal_believed))
    if (auto up = co_await bring_new_up(); !up.ok) co_return up;
  co_await at("asks for the images");
  if (auto answers = engine_answers(); !answers) co_return failed(answers.error());
  if (!w_.reachable(machine_)) co_return failed(no_database());
  if (w_.revision != w_.head(to_))
    co_return failed({"revision-mismatch", "the database does not hold the image's head", {}});
  ledger::deployment now;
  now.version = {1, to_, 0, {}};
  now.revision = {std::to_string(w_.revision)};
  w_.kept.insert(to_);
  committed_ = std::move(now);
  co_return good();
}

bool process::has_moved() const {
  const auto& before = book_.in_flight->baseline;
  return std::to_string(w_.revision) != book_.deployed->revision.id ||
         (before && std::to_string(w_.catalog) != before->catalog);
}

// The last word on the way back: everything must be as the old version left it.
task<Result<>> process::prove_unchanged() {
  if (is(defect::put_back_unproven)) {
    if (w_.reachable(machine_) && std::to_string(w_.revision) != book_.deployed->revision.id)
      co_return fail("revision-mismatch", "the database has moved");
    co_return Result<>{};
  }
  if (auto gone = co_await migrators_gone(); !gone) co_return gone;
  if (!w_.reachable(machine_) || !take_lease()) co_return fail(no_database());
  if (has_moved()) co_return fail("revision-mismatch", "the database has moved");
  co_return Result<>{};
}

task<step_result> process::put_back() {
  begin(step::put_back);
  watches_ = true;
  // The data services are started by an image that had them last: next has seen to that.
  if (auto up = co_await data_up(from_); !up) co_return failed(up.error());
  if (auto unchanged = co_await prove_unchanged(); !unchanged)
    co_return failed(unchanged.error(), unchanged.error().code == "revision-mismatch");
  // The new version may have been started on an unmoved database.
  if (auto stopped = co_await stop_other(from_); !stopped) co_return failed(stopped.error());
  if (auto up = co_await bring_all_up(from_); !up) co_return failed(up.error());
  if (auto answers = co_await await_answers(from_); !answers) co_return failed(answers.error());
  co_return good();
}

}  // namespace difyd::modelled
