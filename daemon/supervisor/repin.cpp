#include "repin.hpp"

#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
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

Result<> nothing_in_flight(const world& w) {
  const auto& flight = w.book->current().in_flight;
  if (!flight) return {};
  return fail("upgrade-in-flight", "cannot repin: the upgrade to " + flight->to.text() + " is in flight",
              "See: difyd status");
}

task<Result<>> reach_alone(world& w, release_ptr release, const std::string& id) {
  if (auto reached = co_await reach_database(w, release, id); !reached) co_return reached;
  if (auto lease = co_await need_lease(w); !lease) co_return lease;
  // Until the lease was ours another machine may have written the ledger.
  if (auto read = co_await w.book->reload(); !read) co_return read;
  co_return nothing_in_flight(w);
}

// Nothing is changed before everything is proven.
task<Result<>> prepare(world& w) {
  if (auto connected = co_await w.engine.connect(); !connected) co_return fail(connected.error());
  if (auto proven = co_await prove_storage(w); !proven) co_return proven;
  co_return co_await open_ledger(w);
}

}  // namespace

Result<> may_repin(const world& w) {
  if (!w.book)
    return fail("not-ready", "cannot repin: the ledger is not open yet: " + w.stands.get()->message,
                "See: difyd check");
  if (auto free = nothing_in_flight(w); !free) return free;
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
  if (auto reached = co_await reach_alone(w, *release, id); !reached) co_return reached;
  auto schema = co_await read_schema(w);
  if (!schema) co_return fail(schema.error());
  if (*schema != *head)
    co_return fail("revision-mismatch",
                   "cannot make " + which.text() + " the deployed version: the database holds revision " +
                       (schema->empty() ? "none" : schema->id) + ", the image's head is " + head->id);
  if (auto kept = co_await keep_release(w, *release, *head); !kept) co_return kept;
  co_return co_await w.book->deploy(deployment_of(**release, *ids, *head));
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
