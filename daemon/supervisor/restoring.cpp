#include "restoring.hpp"

#include "backing_up.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/metadata.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "page.hpp"
#include "restore_rules.hpp"
#include "restore_work.hpp"
#include "start.hpp"

namespace difyd::supervisor {
namespace {

// Empty where the lease lives in the main database.
std::string lease_database(const world& w) {
  const bool own = w.lease && w.lease->place().starts_with("database ");
  return own ? w.settings.database.lease : std::string();
}

task<Result<restore_facts>> gather(world& w, std::string id) {
  if (auto read = co_await read_backups(w); !read) co_return fail(read.error());
  if (id.empty())
    co_return fail("bad-request", "cannot restore: no backup is named", "List them: difyd backup list");
  auto backup = find_backup(*w.backups.get(), id);
  if (!backup) co_return fail(backup.error());
  if (auto linked = link_database(w); !linked) co_return fail(linked.error());
  restore_facts facts;
  facts.backup = *backup;
  facts.book = w.book->current();
  facts.main = w.settings.database.main;
  facts.asked = w.settings.version;
  if (auto metadata = co_await host::read_instance_metadata(); metadata && *metadata)
    if (auto wanted = parse_version((*metadata)->wanted_version);
        wanted && (!facts.asked || *facts.asked < *wanted))
      facts.asked = *wanted;
  const auto database = w.database;
  auto server = co_await database->facts(facts.main);
  if (!server) co_return fail(server.error());
  facts.role = database->where().user;
  facts.may_create = server->create_database;
  facts.lease_database = lease_database(w);
  auto databases = co_await database->databases(facts.main);
  if (!databases) co_return fail(databases.error());
  facts.databases = std::move(*databases);
  if (w.settings.database.kind == "bundled")
    if (auto share = co_await w.storage.probe(storage_expectation(w).uid); share)
      facts.free_bytes = share->bytes_free;
  co_return facts;
}

// The old version is here, and belongs to this backup.
task<Result<>> version_is_here(world& w, backup_manifest backup, std::string id) {
  std::optional<version> from;
  if (w.book->current().deployed) from = w.book->current().deployed->version;
  // Of one that is older than the former one the share keeps nothing.
  if (const auto kept = co_await read_kept(w, backup.version); !kept || !*kept)
    if (auto here = co_await have_bundle(w, backup.version, id); !here) co_return here;
  auto old = co_await load_release(w, backup.version, from, laying_out::no, origin::in_force);
  if (!old) co_return fail(old.error());
  if (auto images = co_await have_images(w, project_of(*old), id); !images) co_return fail(images.error());
  const auto& project = (*old)->project;
  auto head = co_await image_head(w, release::image_of(project, release::api_service(project)));
  if (!head) co_return fail(head.error());
  if (*head != backup.revision)
    co_return fail("backup-not-restorable",
                   "cannot restore backup " + backup.id + ": it holds schema revision " + backup.revision.id +
                       ", and that of " + backup.version.text() + " is " + head->id,
                   "Others: difyd backup list");
  auto client = co_await client_image(w, *old);
  if (!client) co_return fail(client.error());
  co_return co_await have_client_image(w, *client, id);
}

task<Result<backup_manifest>> admit(world& w, std::string id, std::string backup) {
  auto facts = co_await gather(w, std::move(backup));
  if (!facts) co_return fail(facts.error());
  if (auto allowed = may_restore(*facts); !allowed) co_return fail(allowed.error());
  co_await know_release(w);
  const auto on = *w.in_force.get();
  if (!on) co_return fail("nothing-deployed", "cannot restore: no release is deployed", "Start it: difyd up");
  if (auto lease = co_await need_lease(w); !lease) co_return fail(lease.error());
  if (auto good = co_await verify_backup(w, on, facts->backup, id); !good) co_return fail(good.error());
  if (auto here = co_await version_is_here(w, facts->backup, id); !here) co_return fail(here.error());
  co_return facts->backup;
}

// Another machine's ledger now: not a word more is written to it.
bool lost_lease(const Error& error) { return error.code == "lease-lost"; }

ended hold(world& w, const ledger::restore& of, const Error& cause) {
  const std::string message = "the restore of backup " + of.backup + " cannot go on: " + cause.message +
                              (cause.remedy.empty() ? "" : ". ") + cause.remedy;
  w.guarded.set(std::nullopt);
  stand(w, phase::holding, message, {"difyd up: goes on with it from where it is"});
  return {"held", {}, {cause.code, message, {}}};
}

// Nothing took another's place yet: as if it had never been asked for.
task<ended> give_up(world& w, ledger::restore of, std::string id, Error cause) {
  if (lost_lease(cause)) co_return hold(w, of, cause);
  w.guarded.set(std::nullopt);
  if (const auto database = w.database)
    for (const auto& name : of.databases)
      if (auto dropped =
              co_await database->drop_database(w.settings.database.lease, loaded_name(name, of.id));
          !dropped)
        log::warning("restore", dropped.error().message);
  if (auto over = co_await w.book->finish_restore(); !over) co_return hold(w, of, over.error());
  cause.message = "the restore was given up, nothing was changed: " + cause.message;
  const auto at = w.stands.get()->at;
  if (at == phase::serving || at == phase::holding) co_return ended{"refused", {}, cause};
  // It was stopped, or not started yet.
  w.in_force.set(nullptr);
  const auto back = co_await start_up(w, id);
  if (back.result != "done" && back.result != "held") cause.message += "; and " + back.error.message;
  co_return failed_with(cause);
}

std::string restored_text(const world& w, const ledger::restore& of, const std::vector<std::string>& aside) {
  const auto& where = w.database->where();
  std::string text = "Dify " + of.version.text() + " is up, restored from backup " + of.backup;
  if (aside.empty()) return text;
  text += "\nWhat was there before stays as " + join(aside, ", ") + ". When nobody needs it any more:";
  for (const auto& name : aside)
    text += "\n  psql -h " + where.host + " -p " + std::to_string(where.port) + " -U " + where.user + " -d " +
            w.settings.database.lease + " -c 'DROP DATABASE \"" + name + "\"'";
  return text + "\nIts keys and environment stay in " + before_folder(w, of.id);
}

task<ended> carry_on(world& w, ledger::restore of, std::string id) {
  w.chief.raise(priority::upgrade);
  restore_work work(w, of, id);
  using ledger::restore_stage;
  if (of.stage == restore_stage::loading) {
    auto loaded = co_await work.load();
    if (loaded) loaded = co_await w.book->set_restore_stage(restore_stage::swapping);
    if (!loaded) co_return co_await give_up(w, of, id, loaded.error());
  }
  stand(w, phase::upgrading, "restoring backup " + of.backup);
  if (of.stage != restore_stage::finishing) {
    auto swapped = co_await work.swap();
    if (!swapped) co_return hold(w, of, swapped.error());
    if (!swapped->empty()) co_return co_await give_up(w, of, id, {"swap-failed", *swapped, {}});
    if (auto kept = co_await w.book->set_restore_stage(restore_stage::finishing); !kept)
      co_return hold(w, of, kept.error());
  }
  auto finished = co_await work.finish();
  if (finished) finished = co_await w.book->finish_restore();
  if (!finished) {
    auto held = hold(w, of, finished.error());
    co_await put_page_up_while_down(w);
    co_return held;
  }
  w.guarded.set(std::nullopt);
  w.page.set(std::nullopt);
  w.refused.reset();
  stand(w, phase::serving, "Dify " + of.version.text() + " is up, restored from backup " + of.backup);
  co_return done_as(restored_text(w, of, co_await work.set_aside()));
}

}  // namespace

task<Result<control::restore_plan>> plan_restore(world& w, std::string backup) {
  if (!w.book)
    co_return fail("not-ready", "cannot plan a restore: the ledger is not open", "See: difyd status");
  auto facts = co_await gather(w, std::move(backup));
  if (!facts) co_return fail(facts.error());
  if (auto allowed = may_restore(*facts); !allowed) co_return fail(allowed.error());
  co_return restore_plan_of(*facts, std::chrono::system_clock::now());
}

task<ended> restore_by_operator(world& w, std::string id, std::string backup) {
  auto from = co_await admit(w, id, std::move(backup));
  if (!from) co_return ended{"refused", {}, from.error()};
  ledger::restore of;
  of.id = id;
  of.backup = from->id;
  of.version = from->version;
  of.revision = from->revision;
  of.databases = from->databases;
  of.started_at = std::chrono::system_clock::now();
  if (auto begun = co_await w.book->begin_restore(of); !begun) co_return ended{"refused", {}, begun.error()};
  co_return co_await carry_on(w, std::move(of), std::move(id));
}

task<ended> resume_restore(world& w, std::string id) {
  co_return co_await carry_on(w, *w.book->current().restoring, std::move(id));
}

}  // namespace difyd::supervisor
