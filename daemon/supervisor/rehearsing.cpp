#include "rehearsing.hpp"

#include <algorithm>

#include "backup_store.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/labels.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "image_schema.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "loading.hpp"
#include "migrator.hpp"
#include "rehearsal_report.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr const char* rehearsal_label = "dev.difyd.rehearsal";

double seconds_since(steady::time_point begun) {
  return std::chrono::duration<double>(steady::now() - begun).count();
}

class rehearsing {
 public:
  rehearsing(world& w, std::string id, version to, backup_manifest backup)
      : w_(w),
        id_(std::move(id)),
        backup_(std::move(backup)),
        main_(w.settings.database.main),
        scratch_(scratch_name(main_, id_)) {
    found_.to = std::move(to);
    found_.backup = backup_.id;
    found_.of = backup_.version;
    if (const auto* dump = file_of(backup_, dump_file(main_))) found_.dump_bytes = dump->bytes;
  }

  task<ended> run() {
    auto done = co_await all();
    co_await sweep_rehearsals(w_);
    if (!done) co_return failed_with(done.error());
    for (const auto& line : details_of(found_)) tell("done", line);
    if (succeeded(found_)) co_return done_as(verdict_of(found_));
    co_return failed_with({"rehearsal-failed", verdict_of(found_),
                           "An upgrade would fail the same way; the stack was not touched"});
  }

 private:
  void tell(const char* state, std::string text) {
    w_.events.tell(id_, "output", "rehearsal", state, std::move(text));
  }

  task<Result<>> all() {
    auto project = co_await only_api();
    if (!project) co_return fail(project.error());
    if (auto loaded = co_await load(); !loaded) co_return loaded;
    co_return co_await migrate(*project);
  }

  // Without the storage: a migration that wrote there would write to the one in force.
  task<Result<project_ptr>> only_api() {
    std::optional<version> from;
    if (const auto& deployed = w_.book->current().deployed) from = deployed->version;
    if (auto here = co_await have_bundle(w_, found_.to, id_); !here) co_return fail(here.error());
    auto release = co_await load_release(w_, found_.to, from, laying_out::no, origin::bundle);
    if (!release) co_return fail(release.error());
    auto project = std::make_shared<compose::project>((*release)->project);
    const auto api = release::api_service(*project);
    std::erase_if(project->services, [&](const auto& each) { return each.first != api; });
    project->services.at(api).volumes.clear();
    auto images = co_await have_images(w_, project, id_);
    if (!images) co_return fail(images.error());
    auto head = co_await image_head(w_, release::image_of(*project, api));
    if (!head) co_return fail(head.error());
    found_.head = *head;
    co_return project;
  }

  task<Result<>> load() {
    const auto begun = steady::now();
    client_job job;
    job.operation = id_;
    job.name = "rehearsal";
    const auto on = *w_.in_force.get();
    auto loaded = co_await load_into(w_, on, std::move(job), backup_.id, {main_}, scratch_suffix(id_));
    found_.load_seconds = seconds_since(begun);
    co_return loaded;
  }

  task<Result<>> migrate(project_ptr project) {
    const auto database = w_.database;
    auto before = co_await database->alembic_revision(scratch_);
    if (!before) co_return fail(before.error());
    found_.before = *before;
    auto facts = co_await database->facts(main_);
    if (!facts) co_return fail(facts.error());
    const std::string name = client_container(w_, "rehearsal", id_);
    auto job = migrator_spec(*project, name, session(), facts->version_number);
    job.environment["DB_DATABASE"] = scratch_;
    job.labels = {{upgrade::purpose_label, upgrade::client_purpose}, {rehearsal_label, id_}};
    const auto limit = w_.settings.upgrade.migrate_timeout;
    job.limit = limit.count() > 0 ? limit : duration(24h * 7);
    job.keep = false;
    migration_times times;
    std::string output;
    line_splitter lines([&](std::string line) {
      times.line(line, steady::now());
      tell("", std::move(line));
    });
    job.on_output = [&](std::string_view bytes) {
      lines.feed(bytes);
      if (output.size() < (8u << 20)) output.append(bytes);
    };
    const auto begun = steady::now();
    co_await run_watched(std::move(job), std::move(project));
    const auto ran = *ran_;
    found_.seconds = seconds_since(begun);
    times.end(steady::now());
    found_.migrations = times.all();
    found_.locks = locks_.all();
    if (!ran) co_return fail(ran.error());
    found_.exit_code = ran->exit_code;
    if (ran->exit_code != 0) found_.cause = cause_line(output);
    auto after = co_await database->alembic_revision(scratch_);
    if (!after) co_return fail(after.error());
    found_.after = *after;
    co_return Result<>{};
  }

  // The result is in ran_.
  task<void> run_watched(stack::job_spec job, project_ptr project) {
    std::vector<task<bool>> both;
    both.push_back(run_job(std::move(job), std::move(project)));
    both.push_back(watch_locks());
    co_await when_all(std::move(both));
  }

  task<bool> run_job(stack::job_spec job, project_ptr project) {
    ran_ = co_await stack::run_job(w_.engine, project, stack::dialect_in_use(*w_.observed.get()),
                                   std::move(job));
    co_return ran_->has_value();
  }

  task<bool> watch_locks() {
    for (auto last = steady::now(); !ran_; co_await pause(250ms)) {
      const auto database = w_.database;
      const auto locks = co_await database->locks(scratch_, session());
      if (locks) locks_.sample(*locks, seconds_since(last));
      last = steady::now();
    }
    co_return true;
  }

  std::string session() const { return "difyd-rehearsal-" + id_; }

  world& w_;
  const std::string id_;
  const backup_manifest backup_;
  const std::string main_;
  const std::string scratch_;
  std::optional<Result<stack::job_result>> ran_;
  lock_times locks_;
  rehearsal found_;
};

}  // namespace

Result<> may_rehearse(const world& w, const version& to, const std::string& backup) {
  const std::string what = "cannot rehearse the upgrade to " + to.text() + ": ";
  if (!w.book || !w.database || !*w.in_force.get())
    return fail(
        "not-ready",
        what + "the daemon is " + std::string(to_text(w.stands.get()->at)) + ": " + w.stands.get()->message,
        "See: difyd check");
  const auto& deployed = w.book->current().deployed;
  if (deployed && to < deployed->version)
    return fail("version-older", what + deployed->version.text() + " is deployed");
  if (w.aside.running() || !w.command.empty())
    return fail("rehearsal-running", what + "another rehearsal, or a command of an advisory, runs",
                "Wait for its end, or end it: difyd abort");
  const auto found = find_backup(*w.backups.get(), backup);
  if (!found && w.backups.get()->empty())
    return fail("no-such-backup", what + "there is no backup to make a copy from", "Take one: difyd backup");
  if (!found) return fail(found.error());
  if (!file_of(*found, dump_file(w.settings.database.main)))
    return fail(
        "backup-not-restorable",
        what + "backup " + found->id + " holds no dump of " + w.settings.database.main + " that difyd made",
        "Those that do: difyd backup list");
  return {};
}

task<ended> rehearse(world& w, std::string id, version to, std::string backup) {
  auto found = find_backup(*w.backups.get(), backup);
  if (!found) co_return failed_with(found.error());
  rehearsing work(w, std::move(id), std::move(to), std::move(*found));
  co_return co_await work.run();
}

task<void> sweep_rehearsals(world& w) {
  engine::container_filter left;
  left.labels = {std::string(stack::label::project) + "=" + w.settings.project, rehearsal_label};
  if (const auto containers = co_await w.engine.containers.list(std::move(left)))
    for (const auto& each : *containers) (void)co_await w.engine.containers.remove(each.id, true, true);
  const auto database = w.database;
  if (!database) co_return;
  const auto& main = w.settings.database.main;
  const auto names = co_await database->databases(main);
  if (!names) co_return;
  for (const auto& each : *names)
    if (each.owned && is_scratch(each.name, main)) (void)co_await database->drop_database(main, each.name);
}

}  // namespace difyd::supervisor
