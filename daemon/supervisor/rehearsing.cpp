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
#include "rehearsal_rules.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr const char* rehearsal_label = "dev.difyd.rehearsal";

double seconds_since(steady::time_point begun) {
  return std::chrono::duration<double>(steady::now() - begun).count();
}

// Where copies are made.
struct place {
  std::shared_ptr<database::server> server;  // null: the stack's own is not there yet
  std::string through;                       // a database of it
};

place own_place(const world& w) { return {w.database, w.settings.database.main}; }

std::optional<database::endpoint> named_server(const config::settings& settings) {
  const auto& given = settings.rehearsal;
  if (given.host.empty()) return std::nullopt;
  auto where = endpoint_of(given);
  where.keys = "rehearsal";
  where.call_limit = 60s;  // a large copy is not dropped at once
  return where;
}

place place_of(const world& w) {
  auto named = named_server(w.settings);
  if (!named) return own_place(w);
  return {std::make_shared<database::server>(w.executor, std::move(*named)), w.settings.rehearsal.database};
}

// `yields`: to a rehearsal that begins meanwhile, which sweeps at its own end.
task<Result<>> sweep(world& w, place at, bool yields) {
  const auto late = [&w, yields] { return yields && w.aside.running() != nullptr; };
  engine::container_filter left;
  left.labels = {std::string(stack::label::project) + "=" + w.settings.project, rehearsal_label};
  if (const auto containers = co_await w.engine.containers.list(std::move(left)))
    for (const auto& each : *containers)
      if (!late()) (void)co_await w.engine.containers.remove(each.id, true, true);
  if (!at.server) co_return Result<>{};
  const auto& main = w.settings.database.main;
  const auto names = co_await at.server->databases(at.through);
  if (!names) co_return fail(names.error());
  for (const auto& each : *names)
    if (each.owned && is_scratch(each.name, main, w.share.value_or("")) && !late())
      if (auto dropped = co_await at.server->drop_database(at.through, each.name); !dropped)
        co_return dropped;
  co_return Result<>{};
}

class rehearsing {
 public:
  rehearsing(world& w, std::string id, version to, backup_manifest backup)
      : w_(w),
        id_(std::move(id)),
        backup_(std::move(backup)),
        main_(w.settings.database.main),
        scratch_(scratch_name(main_, w.share.value_or(""), id_)),
        at_(place_of(w)),
        named_(named_server(w.settings)) {
    found_.to = std::move(to);
    found_.backup = backup_.id;
    found_.of = backup_.version;
    if (named_) found_.server = to_text(*named_);
    if (const auto* dump = file_of(backup_, dump_file(main_))) found_.dump_bytes = dump->bytes;
  }

  task<ended> run() {
    auto done = co_await all();
    if (begun_)
      if (auto swept = co_await sweep_rehearsals(w_); !swept)
        tell("done", "something of it may be left: " + swept.error().message +
                         "; the next rehearsal, or the next start of difyd, drops it");
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
    if (auto fit = co_await check_server(); !fit) co_return fit;
    auto project = co_await only_api();
    if (!project) co_return fail(project.error());
    if (auto loaded = co_await load(); !loaded) co_return loaded;
    co_return co_await migrate(*project);
  }

  client_job job() const {
    client_job job;
    job.operation = id_;
    job.name = "rehearsal";
    job.where = named_;
    job.labels = {{rehearsal_label, id_}};
    return job;
  }

  // Before anything is made there.
  task<Result<>> check_server() {
    auto facts = co_await at_.server->facts(at_.through);
    if (!facts) co_return fail(facts.error());
    facts_ = *facts;
    if (auto may = may_copy_to(at_.server->where(), facts_); !may) co_return may;
    const auto& wanted = w_.settings.upgrade.backup_image;
    image_ = wanted.empty() ? backup_.image : wanted;
    if (auto there = co_await have_client_image(w_, image_, id_); !there) co_return there;
    if (!named_) co_return Result<>{};
    auto available = co_await at_.server->extensions(at_.through);
    if (!available) co_return fail(available.error());
    auto dump = co_await look_at_dump();
    if (!dump) co_return fail(dump.error());
    co_return may_load(*named_, facts_, *available, *dump);
  }

  task<Result<dump_facts>> look_at_dump() {
    auto look = job();
    look.script = dump_facts_script;
    look.mounts = {bound(backup_folder(w_, backup_.id), "/backup", true)};
    look.environment = {{"DUMP", dump_file(main_)}};
    look.connects = false;
    const auto on = *w_.in_force.get();
    auto said = co_await run_client(w_, on, image_, std::move(look));
    if (!said) co_return fail(said.error());
    co_return read_dump_facts(*said);
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
    const auto on = *w_.in_force.get();
    begun_ = true;
    load_order what{backup_.id, {{main_, scratch_}}, at_.through, image_};
    auto loaded = co_await load_into(w_, on, job(), std::move(what));
    found_.load_seconds = seconds_since(begun);
    co_return loaded;
  }

  task<Result<>> migrate(project_ptr project) {
    auto before = co_await at_.server->alembic_revision(scratch_);
    if (!before) co_return fail(before.error());
    found_.before = *before;
    const std::string name = client_container(w_, "rehearsal", id_);
    auto job = migrator_spec(*project, name, session(), facts_.version_number);
    if (named_) point_at(job, *named_, sslmode_inside(*named_));
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
    auto after = co_await at_.server->alembic_revision(scratch_);
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
    ran_ = co_await supervisor::run_job(w_, std::move(project), std::move(job));
    co_return ran_->has_value();
  }

  task<bool> watch_locks() {
    for (auto last = steady::now(); !ran_; co_await pause(locks_interval)) {
      const auto locks = co_await at_.server->locks(scratch_, session());
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
  const place at_;
  const std::optional<database::endpoint> named_;
  database::server_facts facts_;
  std::string image_;   // with pg_restore
  bool begun_ = false;  // something may be there that must go
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

task<Result<>> sweep_rehearsals(world& w) { co_return co_await sweep(w, place_of(w), false); }

task<Result<>> sweep_after_start(world& w) {
  auto swept = co_await sweep(w, own_place(w), true);
  if (swept && !w.settings.rehearsal.host.empty()) swept = co_await sweep(w, place_of(w), true);
  co_return swept;
}

}  // namespace difyd::supervisor
