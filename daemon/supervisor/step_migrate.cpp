// Step migrate: flask db upgrade in a container of its own. Its exit code, the revision
// against the image's head, and whether anything moved decide (DESIGN promise 2).
#include <algorithm>
#include <utility>

#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/labels.hpp"
#include "image_schema.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "migrations.hpp"
#include "migrator.hpp"
#include "silence.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// Who held the lock that the migration did not get.
std::string lock_holder(const world& w, const std::string& output) {
  const bool timeout = output.find("lock timeout") != std::string::npos;
  return timeout && w.migrating && !w.migrating->blocked.empty() ? " (" + w.migrating->blocked + ")" : "";
}

}  // namespace

void upgrade_work::tell(std::string line) {
  world_.events.tell(id_, "output", "migrate", {}, std::move(line));
}

task<Result<bool>> upgrade_work::migrator_at_work() {
  // One that was just started has no session yet.
  engine::container_filter started;
  started.all = false;
  started.labels = {std::string(stack::label::project) + "=" + world_.settings.project, upgrade_label};
  const auto containers = co_await world_.engine.containers.list(started);
  if (!containers) co_return fail(containers.error());
  if (!containers->empty()) co_return true;
  const auto& main = world_.settings.database.main;
  const auto database = world_.database;
  const auto sessions = co_await database->sessions(main, {main}, {});
  if (!sessions) co_return fail(sessions.error());
  co_return std::ranges::any_of(*sessions, [](const database::session_info& each) {
    return each.application_name.starts_with("difyd-migrate-");
  });
}

task<Result<>> upgrade_work::migrators_gone() {
  constexpr auto patience = 2min;  // an engine or a server that restarts is back within minutes
  auto known = std::chrono::steady_clock::now();
  bool told = false;
  // One that has just ended leaves its session for some milliseconds.
  for (duration between = 20ms;; between = std::min<duration>(between * 2, 1s)) {
    const auto running = co_await migrator_at_work();
    if (!running) {
      if (std::chrono::steady_clock::now() >= known + patience) co_return fail(running.error());
      co_await pause(between);
      continue;
    }
    known = std::chrono::steady_clock::now();
    if (!*running) co_return Result<>{};
    if (between == 1s && !std::exchange(told, true))
      tell("an earlier migrator is still at work in the database; waiting for its end");
    // A migrator whose container is gone may still be at work inside the server: it is waited
    // for, never ended.
    co_await pause(between);
  }
}

task<Result<int>> upgrade_work::migrator_job(release_ptr to, std::string container, std::string& output) {
  const auto project = project_of(to);
  auto facts = co_await world_.database->facts(world_.settings.database.main);
  if (!facts) co_return fail(facts.error());
  auto lines = std::make_shared<line_splitter>([this](std::string line) { tell(std::move(line)); });
  auto all = std::make_shared<std::string>();
  auto job = migrator_spec(*project, container, migrator_name(), facts->version_number);
  job.labels = {{upgrade_label, id_}};
  job.may_start = [this] { return still_ours(world_); };
  const auto limit = world_.settings.upgrade.migrate_timeout;
  job.limit = limit.count() > 0 ? limit : duration(std::chrono::hours(24 * 7));
  job.on_output = [this, lines, all](std::string_view bytes) {
    if (world_.migrating) world_.migrating->last_output = std::chrono::steady_clock::now();
    lines->feed(bytes);
    if (all->size() < (8u << 20)) all->append(bytes);
  };
  auto done = co_await run_job(world_, project, job);
  output = *all;
  if (!done) co_return fail(done.error());
  co_return done->exit_code;
}

task<Result<int>> upgrade_work::start_others(release_ptr to) {
  auto options = plan_defaults(*to);
  options.services = release::preparers(to->project);
  // The stack's own database is up, and stays as it is until the migrator has ended.
  if (world_.settings.database.kind != "bundled")
    for (auto& each : infrastructure(to->project)) options.services.push_back(std::move(each));
  if (options.services.empty()) co_return 0;  // none given would mean all
  auto plan = co_await plan_release(world_, to, std::move(options));
  if (!plan) co_return fail(plan.error());
  if (auto up = co_await carry_out(world_, std::move(*plan), id_); !up) co_return fail(up.error());
  co_return 0;
}

task<Result<bool>> upgrade_work::has_moved() {
  const auto& journal = world_.book->current().in_flight;
  if (!journal || !journal->baseline) co_return false;
  const auto baseline = *journal->baseline;
  const auto database = world_.database;
  auto revision = co_await read_schema(world_);
  if (!revision) co_return fail(revision.error());
  auto catalog = co_await database->catalog_fingerprint(world_.settings.database.main);
  if (!catalog) co_return fail(catalog.error());
  co_return *revision != baseline.revision || *catalog != baseline.catalog;
}

task<upgrade::step_result> upgrade_work::run_migrator(release_ptr to) {
  const std::string main = world_.settings.database.main;
  const auto database = world_.database;
  if (auto head = co_await know_head(*to); !head) co_return failed_step(head.error());
  auto before = co_await read_schema(world_);
  if (!before) co_return failed_step(before.error());
  auto catalog = co_await database->catalog_fingerprint(main);
  if (!catalog) co_return failed_step(catalog.error());
  // An earlier run of the migrator, of a process that was killed, may have moved what is read here.
  if (auto kept = co_await world_.book->set_baseline({*before, *catalog}); !kept)
    co_return failed_step(kept.error());

  ledger::migration_record record;
  record.id = id_;
  record.version = to_;
  record.from = *before;
  record.log = "migration-" + id_ + "-" + random_hex(4) + ".log";
  record.started_at = std::chrono::system_clock::now();
  if (auto begun = co_await world_.book->record_migration(record); !begun)
    co_return failed_step(begun.error());

  // The last look before what cannot be undone.
  if (auto lease = co_await world_.lease->check(); !lease) co_return failed_step(lease.error());
  std::string output;
  std::vector<task<Result<int>>> both;
  both.push_back(migrator_job(to, migrator_container(world_, record), output));
  both.push_back(start_others(to));
  const auto exit = (co_await when_all(std::move(both))).front();
  record.ended_at = std::chrono::system_clock::now();
  if (exit) record.exit_code = *exit;
  // What cannot be read is proven before the old version is started again, once the database answers.
  if (auto gone = co_await migrators_gone(); !gone) co_return failed_step(gone.error());
  auto after = co_await read_schema(world_);
  const auto differs = co_await has_moved();
  const bool moved = differs && *differs, unmoved = differs && !*differs;
  if (after) record.to = *after;
  auto kept = co_await world_.book->keep_log(record.log, output);
  auto recorded = co_await world_.book->record_migration(record);
  if (!exit) co_return failed_step(exit.error(), moved);
  if (*exit != 0)
    co_return failed_step(
        Error{"migration-failed",
              "the migration to " + to_.text() + " failed (exit code " + std::to_string(*exit) + ")" +
                  (moved     ? " after the database had moved"
                   : unmoved ? ", the database is unchanged"
                             : ", and what it left could not be read") +
                  ": " + cause_line(output) + lock_holder(world_, output),
              "Its whole output: difyd migrations log " + id_},
        moved);
  if (!after) co_return failed_step(after.error(), moved);
  if (*after != *head_)
    co_return failed_step(
        Error{"migration-incomplete",
              "the migration to " + to_.text() + " ended with revision " +
                  (after->empty() ? "none" : after->id) + " where the image's head is " + head_->id,
              "Its whole output: difyd migrations log " + id_},
        moved);
  if (!kept) co_return failed_step(kept.error(), moved);
  if (!recorded) co_return failed_step(recorded.error(), moved);
  co_return good_step((before->empty() ? "empty" : before->id) + " -> " + after->id, !unmoved);
}

task<upgrade::step_result> upgrade_work::migrate() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  world_.in_force.set(*to);
  if (auto reached = co_await reach_database(world_, *to, id_); !reached)
    co_return failed_step(reached.error());
  if (auto lease = co_await need_lease(world_); !lease) co_return failed_step(lease.error());
  world_.migrating = {id_, migrator_name(), std::chrono::system_clock::now(),
                      std::chrono::steady_clock::now()};
  auto result = co_await migrate_alone(*to);
  world_.migrating.reset();
  co_return result;
}

task<upgrade::step_result> upgrade_work::migrate_alone(release_ptr to) {
  if (auto gone = co_await migrators_gone(); !gone) co_return failed_step(gone.error());
  // A human, or another tool, may have started something since the stop.
  if (auto silent = co_await prove_silence(world_); !silent) co_return failed_step(silent.error());
  if (auto networks = co_await have_networks(world_, to, id_); !networks)
    co_return failed_step(networks.error());
  if (auto settled = co_await settle_migrations(world_, id_); !settled)
    co_return failed_step(settled.error());
  co_return co_await run_migrator(to);
}

}  // namespace difyd::supervisor
