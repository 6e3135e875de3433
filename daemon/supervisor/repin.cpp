#include "repin.hpp"

#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
#include "known.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "start.hpp"

namespace difyd::supervisor {
namespace {

// As an operator has it here; from the share where it is not here; from where releases come from where it is
// not there either.
task<Result<release_ptr>> release_here(world& w, version which) {
  const auto& deployed = w.book->current().deployed;
  const auto carried_from = deployed ? deployed->version : which;
  const auto kept = co_await read_kept(w, which);
  if (!kept || !*kept)
    if (auto here = co_await have_bundle(w, which, {}); !here) co_return fail(here.error());
  auto release = co_await load_release(w, which, carried_from, laying_out::yes, origin::bundle);
  if (release || (release.error().code != "release-unknown" && release.error().code != "overlay-missing"))
    co_return release;
  co_return co_await load_release(w, which, carried_from, laying_out::yes, origin::in_force);
}

// A held upgrade is left where the database was put back by other means: to the version that it came from.
Result<> nothing_in_flight(const world& w, const version& which) {
  const auto& book = w.book->current();
  if (!book.in_flight) return {};
  const std::string to = book.in_flight->to.text();
  if (!held_upgrade(book))
    return fail("upgrade-in-flight", "cannot repin: the upgrade to " + to + " is in flight",
                "See: difyd status");
  if (book.deployed && which == book.deployed->version) return {};
  return fail("upgrade-in-flight",
              "cannot repin: the upgrade to " + to + " is held, and " + which.text() +
                  " is not the version that it came from",
              "Forward: difyd resume, or difyd upgrade VERSION");
}

// What a migration commits midway moves the tables and not the revision.
task<Result<>> as_before_upgrade(world& w) {
  const auto& flight = w.book->current().in_flight;
  if (!flight || !flight->baseline) co_return Result<>{};
  const auto before = flight->baseline->catalog;
  const auto database = w.database;
  const auto now = co_await database->catalog_fingerprint(w.settings.database.main);
  if (!now) co_return fail(now.error());
  if (*now == before) co_return Result<>{};
  co_return fail("catalog-moved",
                 "cannot repin: the tables are not as the upgrade to " + flight->to.text() +
                     " found them, though the revision is",
                 "Put the database back as it was before it");
}

task<Result<>> reach_alone(world& w, release_ptr release, version which, const std::string& id) {
  if (auto reached = co_await reach_database(w, release, id); !reached) co_return reached;
  if (auto lease = co_await need_lease(w); !lease) co_return lease;
  // Until the lease was ours another machine may have written the ledger.
  if (auto read = co_await w.book->reload(); !read) co_return read;
  co_return nothing_in_flight(w, which);
}

// Nothing is changed before everything is proven.
task<Result<>> prepare(world& w) {
  if (auto connected = co_await w.engine.connect(); !connected) co_return fail(connected.error());
  if (auto proven = co_await prove_storage(w); !proven) co_return proven;
  co_return co_await open_ledger(w);
}

}  // namespace

Result<> may_repin(const world& w, const version& which) {
  if (!w.book)
    return fail("not-ready", "cannot repin: the ledger is not open yet: " + w.stands.get()->message,
                "See: difyd check");
  if (auto free = nothing_in_flight(w, which); !free) return free;
  const auto at = w.stands.get()->at;
  if (at == phase::holding || at == phase::stopped) return {};
  return fail("not-held",
              "cannot repin: the daemon is " + std::string(to_text(at)) + ": " + w.stands.get()->message,
              "Stop the stack first: difyd down");
}

task<Result<>> make_deployed(world& w, std::string id, version which) {
  auto release = co_await release_here(w, which);
  if (!release) co_return fail(release.error());
  auto ids = co_await have_images(w, project_of(*release), id);
  if (!ids) co_return fail(ids.error());
  const auto& project = (*release)->project;
  auto head = co_await image_head(w, release::image_of(project, release::api_service(project)));
  if (!head) co_return fail(head.error());
  if (w.settings.database.kind == "bundled")
    w.in_force.set(*release);  // says where the stack's own database is
  if (auto reached = co_await reach_alone(w, *release, which, id); !reached) co_return reached;
  auto schema = co_await read_schema(w);
  if (!schema) co_return fail(schema.error());
  if (*schema != *head)
    co_return fail("revision-mismatch",
                   "cannot make " + which.text() + " the deployed version: the database holds revision " +
                       (schema->empty() ? "none" : schema->id) + ", the image's head is " + head->id);
  if (auto same = co_await as_before_upgrade(w); !same) co_return same;
  if (auto kept = co_await keep_release(w, *release, *head); !kept) co_return kept;
  auto now = deployment_of(**release, *ids, *head);
  if (w.book->current().in_flight)
    co_return co_await w.book->finish_upgrade(
        ledger::ending::undone, "the database was put back, and an operator repinned " + which.text(), now);
  co_return co_await w.book->deploy(std::move(now));
}

task<ended> repin(world& w, std::string id, version which) {
  const auto before = *w.stands.get();
  auto ready = co_await prepare(w);
  if (ready) ready = co_await make_deployed(w, id, which);
  if (!ready) {
    stand(w, before.at, before.message, before.options);
    co_return ended{"refused", {}, ready.error()};
  }
  log::info("repin", "the ledger says so now", {{"version", which.text()}});
  if (auto marked = set_stopped_by_operator(w, false); !marked) co_return failed_with(marked.error());
  stand(w, phase::starting, which.text() + " is the deployed version by the word of an operator");
  auto ran = co_await run_deployed(w, which, std::move(id));
  if (ran.result == "done" && w.settings.version && *w.settings.version > which)
    ran.text += "; " + w.settings.version->text() + " is configured, and the next start upgrades to it";
  co_return ran;
}

}  // namespace difyd::supervisor
