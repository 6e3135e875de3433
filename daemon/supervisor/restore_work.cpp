#include "restore_work.hpp"

#include <algorithm>
#include <filesystem>

#include "backing_up.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/release/working_copy.hpp"
#include "engine_work.hpp"
#include "guarding.hpp"
#include "keeping.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "loading.hpp"
#include "readiness.hpp"
#include "restore_rules.hpp"
#include "silence.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// What is there is kept first, and once.
constexpr const char* keys_script = R"(set -eu
umask 077
[ -e /backup/keys.tar ] || exit 0
cd /storage/app/storage
if [ ! -e /before/keys.tar ]; then
  kept=
  for name in privkeys .dify_secret_key; do if [ -e "$name" ]; then kept="$kept $name"; fi; done
  if [ -n "$kept" ]; then tar -cf /before/keys.tar.part $kept; mv /before/keys.tar.part /before/keys.tar; fi
fi
tar -xpf /backup/keys.tar
sync
echo "keys.tar is back in the storage"
)";

// Of a process that was killed while it wrote.
void remove_halves(const std::string& path) {
  std::error_code ignored;
  const fs::path file(path);
  std::vector<fs::path> halves;
  for (const auto& each : fs::directory_iterator(file.parent_path(), ignored))
    if (each.path().filename().string().starts_with(file.filename().string() + ".tmp-"))
      halves.push_back(each.path());
  for (const auto& each : halves) fs::remove(each, ignored);
}

Result<> keep_and_write(const std::string& from, const std::string& to, const std::string& kept) {
  auto text = read_file(from, 16u << 20);
  if (!text) return fail(text.error());
  std::error_code failed;
  fs::create_directories(fs::path(to).parent_path(), failed);
  remove_halves(kept);
  remove_halves(to);
  if (!failed && fs::exists(to, failed) && !fs::exists(kept, failed)) {
    auto now = read_file(to, 16u << 20);
    if (!now) return fail(now.error());
    if (auto done = write_durably(kept, *now, 0600); !done) return done;
  }
  if (failed) return fail("file-io", "cannot put " + to + " back: " + failed.message());
  return release::put_environment(to, *text);
}

}  // namespace

std::string before_folder(const world& w, const std::string& id) {
  return w.settings.storage.root + "/.difyd/before-restore-" + id.substr(0, 8);
}

restore_work::restore_work(world& w, ledger::restore of, std::string operation)
    : w_(w), of_(std::move(of)), operation_(std::move(operation)) {}

void restore_work::say(std::string stage, std::string state) {
  w_.events.tell(operation_, "step", std::move(stage), std::move(state), {});
}

void restore_work::guard(const release_ptr& old, bool started) {
  auto rules = guard_rules(w_, operation_, old->project, started);
  rules.role = w_.database->where().user;
  w_.guarded.set(std::move(rules));
}

task<Result<release_ptr>> restore_work::release() {
  // A machine on which it never ran knows only the environment of now, until its own is put back.
  std::optional<version> from = of_.version;
  const std::string path = release::working_copy(w_.settings, of_.version) + "/.env";
  auto ran = co_await w_.files.run<bool>([path]() -> Result<bool> { return fs::exists(path); }, 10s,
                                         "look for " + path);
  if (!ran) co_return fail(ran.error());
  if (!*ran && w_.book->current().deployed) from = w_.book->current().deployed->version;
  co_return co_await load_release(w_, of_.version, from, laying_out::yes, origin::in_force);
}

task<Result<>> restore_work::reach(release_ptr old) {
  if (auto reached = co_await reach_database(w_, old, operation_); !reached) co_return reached;
  co_return co_await need_lease(w_);
}

task<Result<>> restore_work::silence(release_ptr old) {
  if (auto stopped = co_await stop_dify(w_, old, operation_); !stopped) co_return stopped;
  if (auto removed = co_await remove_strangers(w_, old, operation_); !removed) co_return removed;
  if (auto reached = co_await reach(old); !reached) co_return reached;
  if (auto silent = co_await prove_silence(w_); !silent) co_return silent;
  const auto database = w_.database;
  const auto& main = w_.settings.database.main;
  auto sessions = co_await database->sessions(main, {main}, {});
  if (!sessions) co_return fail(sessions.error());
  for (const auto& each : *sessions)
    if (each.application_name.starts_with("difyd-migrate-"))
      co_return fail("migrator-at-work", "a migrator is still at work: " + upgrade::to_text(each),
                     "Wait for its end, then try again");
  guard(old, false);
  co_return Result<>{};
}

task<Result<>> restore_work::run(release_ptr old, client_job job) {
  auto image = co_await client_image(w_, old);
  if (!image) co_return fail(image.error());
  job.operation = operation_;
  job.name = "restore";
  auto done = co_await run_client(w_, old, *image, std::move(job));
  if (!done) co_return fail(done.error());
  co_return Result<>{};
}

task<Result<>> restore_work::load_dumps(release_ptr old) {
  auto image = co_await client_image(w_, old);
  if (!image) co_return fail(image.error());
  client_job job;
  job.operation = operation_;
  job.name = "restore";
  load_order what{of_.backup, {}, w_.settings.database.lease, *image};
  for (const auto& name : of_.databases) what.databases.push_back({name, loaded_name(name, of_.id)});
  co_return co_await load_into(w_, old, std::move(job), std::move(what));
}

task<Result<>> restore_work::revision_is_right(const std::string& database) {
  const auto server = w_.database;
  auto found = co_await server->alembic_revision(database);
  if (!found) co_return fail(found.error());
  if (*found == of_.revision) co_return Result<>{};
  co_return fail("revision-mismatch", "database " + database + " holds schema revision " +
                                          (found->empty() ? "none" : found->id) + ", and the backup's is " +
                                          of_.revision.id);
}

task<Result<>> restore_work::load() {
  say("load", "begun");
  auto old = co_await release();
  if (!old) co_return fail(old.error());
  // After a restart of the daemon the stack's own database may be down.
  if (!link_database(w_)) {
    w_.in_force.set(*old);
    if (auto reached = co_await reach(*old); !reached) co_return reached;
  }
  if (auto loaded = co_await load_dumps(*old); !loaded) co_return loaded;
  if (auto right = co_await revision_is_right(loaded_name(w_.settings.database.main, of_.id)); !right)
    co_return right;
  say("load", "done");
  co_return Result<>{};
}

task<Result<std::string>> restore_work::swap() {
  say("stop", "begun");
  auto old = co_await release();
  if (!old) co_return fail(old.error());
  w_.in_force.set(*old);
  if (auto silent = co_await silence(*old); !silent) co_return fail(silent.error());
  say("stop", "done");
  say("swap", "begun");
  const auto lease = w_.lease;
  const auto database = w_.database;
  if (auto held = co_await lease->check(); !held) co_return fail(held.error());
  const std::string through = w_.settings.database.lease;
  std::string cause;
  for (int attempt = 0; attempt < 20; ++attempt) {
    auto present = co_await database->databases(through);
    if (!present) co_return fail(present.error());
    auto decision = decide_swap(of_, *present);
    if (decision.action == swap_action::impossible) co_return fail("swap-failed", decision.reason);
    if (decision.action == swap_action::done) {
      say("swap", "done");
      co_return std::string();
    }
    if (attempt > 0) co_await pause(500ms);
    // A probe of ours may have come in between.
    auto renamed = co_await database->rename_databases(through, std::move(decision.names));
    if (!renamed) cause = renamed.error().message;
  }
  co_return cause;
}

task<Result<>> restore_work::put_keys_back(release_ptr old) {
  client_job job;
  job.script = keys_script;
  job.mounts = {bound(backup_folder(w_, of_.backup), "/backup", true),
                bound(before_folder(w_, of_.id), "/before", false),
                bound(w_.settings.storage.root, "/storage", false)};
  job.connects = false;
  co_return co_await run(old, std::move(job));
}

task<Result<>> restore_work::put_environment_back() {
  const std::string from = backup_folder(w_, of_.backup) + "/env", kept = before_folder(w_, of_.id);
  const std::string to = release::working_copy(w_.settings, of_.version) + "/.env";
  co_return co_await w_.files.run<void>(
      [from, to, kept]() -> Result<> {
        std::error_code failed;
        fs::create_directories(kept, failed);
        if (!failed) fs::permissions(kept, fs::perms::owner_all, failed);
        if (failed) return fail("file-io", "cannot make " + kept + ": " + failed.message());
        return keep_and_write(from, to, kept + "/env");
      },
      30s, "put the environment back");
}

task<Result<>> restore_work::settle(release_ptr old) {
  auto ids = co_await have_images(w_, project_of(old), operation_);
  if (!ids) co_return fail(ids.error());
  if (auto kept = co_await keep_release(w_, old, of_.revision); !kept) co_return kept;
  auto now = deployment_of(*old, *ids, of_.revision);
  co_return co_await w_.book->settle_restore(std::move(now), "backup " + of_.backup + " was restored");
}

task<Result<>> restore_work::finish() {
  say("finish", "begun");
  if (auto put = co_await put_environment_back(); !put) co_return put;
  auto old = co_await release();
  if (!old) co_return fail(old.error());
  w_.in_force.set(*old);
  if (auto reached = co_await reach(*old); !reached) co_return reached;
  guard(*old, false);
  if (auto put = co_await put_keys_back(*old); !put) co_return put;
  if (auto right = co_await revision_is_right(w_.settings.database.main); !right) co_return right;
  if (auto settled = co_await settle(*old); !settled) co_return settled;
  guard(*old, true);
  if (auto up = co_await bring_all_up(w_, *old, operation_, true); !up) co_return up;
  if (auto good = co_await await_answers(w_, *old); !good) co_return good;
  (void)co_await read_schema(w_);
  if (auto right = co_await revision_is_right(w_.settings.database.main); !right) co_return right;
  say("finish", "done");
  co_return Result<>{};
}

task<std::vector<std::string>> restore_work::set_aside() {
  std::vector<std::string> result;
  const auto database = w_.database;
  const auto present = co_await database->databases(w_.settings.database.lease);
  if (!present) co_return result;
  for (const auto& each : *present)
    for (const auto& name : of_.databases)
      if (each.name == set_aside_name(name, of_.id)) result.push_back(each.name);
  co_return result;
}

}  // namespace difyd::supervisor
