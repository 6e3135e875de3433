#include "start.hpp"

#include <algorithm>

#include "client_job.hpp"
#include "difyd/base/log.hpp"
#include "difyd/host/metadata.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "fitting.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
#include "known.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "maintenance.hpp"
#include "mounting.hpp"
#include "page.hpp"
#include "readiness.hpp"
#include "repin.hpp"
#include "restoring.hpp"
#include "start_choice.hpp"
#include "upgrading.hpp"

namespace difyd::supervisor {
namespace {

// Not there yet: the cause is shown in the phase, and the start is proposed again. What serves
// goes on serving until it does not answer: a failed `difyd up` says so itself.
ended not_yet(world& w, const Error& error) {
  if (w.stands.get()->at != phase::serving)
    stand(w, phase::starting, error.message,
          error.remedy.empty() ? std::vector<std::string>{} : std::vector<std::string>{error.remedy});
  return failed_with(error);
}

bool bundled(const world& w) { return w.settings.database.kind == "bundled"; }

// Lease and schema revision where the database is reachable without the stack.
task<Result<std::optional<revision>>> lease_and_schema(world& w) {
  if (auto linked = link_database(w); !linked) co_return fail(linked.error());
  if (auto ours = co_await await_lease(w); !ours) co_return fail(ours.error());
  auto schema = co_await read_schema(w);
  if (!schema) co_return fail(schema.error());
  co_return std::optional<revision>(*schema);
}

// Where the stack's own database keeps its files, below the storage root; "" where that is not there.
std::string database_folder(const release::release& of) {
  constexpr std::string_view volumes = "volumes/";
  const auto host = of.environment.values.find("DB_HOST");
  if (host == of.environment.values.end() || !of.project.services.contains(host->second)) return {};
  for (const auto& place : release::data_places(of.project, of.project.services.at(host->second)))
    if (place.starts_with(volumes)) return place.substr(volumes.size());
  return {};
}

// The stack's own database, where it is there and no ledger knows of it: docker compose, or a difyd that lost
// its ledger, ran it before. It is brought up as its release has it, and asked.
task<Result<std::optional<revision>>> schema_from_before(world& w, const std::string& id) {
  const auto& ledger = w.book->current();
  if (ledger.deployed || ledger.in_flight || w.local) co_return std::nullopt;
  const auto now = co_await look(w);
  if (!now) co_return fail(now.error());
  const auto running = running_version(*now);
  const auto which = running ? running : w.settings.version;
  if (!which) co_return std::nullopt;
  const auto here = co_await have_bundle(w, *which, id);
  auto release = here ? co_await load_release(w, *which, std::nullopt, laying_out::no, origin::bundle)
                      : Result<release_ptr>(fail(here.error()));
  if (!release && running) co_return fail(release.error());
  if (!release) co_return std::nullopt;  // an installation of it says the same
  const std::string folder = database_folder(**release);
  if (folder.empty()) co_return std::nullopt;
  const auto files = co_await w.storage.list(folder);
  if (!files && files.error().code != "file-missing") co_return fail(files.error());
  if (!files || files->empty()) co_return std::nullopt;
  release = co_await load_release(w, *which, std::nullopt, laying_out::yes, origin::bundle);
  if (!release) co_return fail(release.error());
  if (auto images = co_await have_images(w, project_of(*release), id); !images)
    co_return fail(images.error());
  w.in_force.set(*release);
  if (auto up = co_await reach_database(w, *release, id); !up) co_return fail(up.error());
  co_return co_await lease_and_schema(w);
}

// A stack that others started, and that has not made its schema yet: nothing is installed over it.
task<Result<>> nobody_at_it(world& w) {
  const auto now = co_await look(w);
  if (!now) co_return fail(now.error());
  const bool at_it = std::ranges::any_of(now->containers, [](const auto& each) {
    return !each.one_off && each.running() && release::repository(each.image) == "langgenius/dify-api";
  });
  if (!at_it) co_return Result<>{};
  co_return fail(
      "stack-runs",
      "cannot install: containers of project " + w.settings.project +
          " run already, and the database holds nothing yet",
      "Wait until Dify has migrated it; an installation that never worked: docker compose down first");
}

// What the ledger says and the database.
task<start_facts> known_facts_of(world& w, std::optional<revision> schema) {
  start_facts facts;
  facts.database = std::move(schema);
  facts.local = w.local;
  const auto& ledger = w.book->current();
  if (ledger.deployed) {
    facts.deployed = ledger.deployed->version;
    facts.ledger_revision = ledger.deployed->revision;
  }
  if (ledger.in_flight) {
    facts.in_flight = ledger.in_flight->to;
    facts.held = held_upgrade(ledger) != nullptr;
  }
  if (disagree(facts) && !facts.database->empty()) facts.fitting = co_await versions_of(w, *facts.database);
  co_return facts;
}

// Nothing that an upgrade needs before the stop waits for a network: no download, no pull, no backup of Cloud
// SQL. What cannot be read here is refused at once.
task<bool> at_hand(world& w, version from, version to, std::string id) {
  if (w.settings.upgrade.backup == "cloudsql" || co_await must_be_fetched(w, to)) co_return false;
  (void)co_await have_bundle(w, to, std::move(id));
  const auto release = co_await load_release(w, to, from, laying_out::no, origin::bundle);
  if (!release) co_return true;
  auto images = release::images((*release)->project);
  if (w.settings.upgrade.backup == "pg_dump")
    if (auto client = co_await client_image(w, *release)) images.push_back(std::move(*client));
  for (const auto& image : images)
    if (!co_await w.engine.images.inspect(image)) co_return false;
  co_return true;
}

task<start_facts> gather(world& w, std::optional<revision> schema, std::string id) {
  auto facts = co_await known_facts_of(w, std::move(schema));
  facts.settled = w.settled;
  // Visitors are kept out until an operator lets them in: no time for another version.
  if (closed(w) && facts.deployed) co_return facts;
  facts.configured = w.settings.version;
  if (auto metadata = co_await host::read_instance_metadata(); metadata && *metadata)
    if (auto wanted = parse_version((*metadata)->wanted_version)) facts.metadata = *wanted;
  if (const auto choice = choose_start(facts); choice.action == start_action::upgrade)
    facts.at_hand = co_await at_hand(w, *facts.deployed, *choice.target, std::move(id));
  co_return facts;
}

// An image that does not know the database's revision is never started on it: the ledger's
// revision was read after that very image had served.
task<Result<>> revision_known(world& w, const release::release& what) {
  auto schema = co_await read_schema(w);
  if (!schema) co_return fail(schema.error());
  const auto& deployed = w.book->current().deployed;
  if (deployed && *schema == deployed->revision) co_return Result<>{};
  auto head = co_await image_head(w, release::image_of(what.project, release::api_service(what.project)));
  if (!head) co_return fail(head.error());
  if (*head == *schema) co_return Result<>{};
  co_return fail("revision-mismatch",
                 "cannot start " + what.version.text() + ": the database holds revision " +
                     (schema->empty() ? "none" : schema->id) + ", the image's head is " + head->id);
}

// What does not mend itself is an operator's to decide.
ended hold_or_not_yet(world& w, const Error& error) {
  constexpr std::string_view holds[] = {"image-differs", "share-foreign", "ledger-newer", "ledger-corrupt"};
  if (std::ranges::find(holds, error.code) == std::end(holds)) return not_yet(w, error);
  stand(w, phase::holding, error.message, {error.remedy});
  return {"held", {}, error};
}

task<ended> hold_by(world& w, start_choice choice) {
  const auto* held = held_upgrade(w.book->current());
  if (held) choice.reason = held->reason;
  stand(w, phase::holding, choice.reason,
        held ? hold_options(w.book->current(), *w.backups.get()) : choice.options);
  co_await put_page_up_while_down(w);
  co_return ended{"held", {}, {"held", choice.reason, {}}};
}

// What runs is what the next machine needs. A share that cannot take it is told about; Dify serves.
task<void> keep_in_force(world& w, release_ptr what) {
  const auto kept = co_await keep_release(w, what, w.book->current().deployed->revision);
  w.not_kept = kept ? std::nullopt : std::optional(kept.error());
}

}  // namespace

task<ended> run_deployed(world& w, version which, std::string id, origin from) {
  if (auto images = co_await images_in_force(w, which); !images) co_return hold_or_not_yet(w, images.error());
  auto release = co_await load_release(w, which, which, laying_out::yes, from);
  if (!release) co_return not_yet(w, release.error());
  w.in_force.set(*release);
  if (closed(w)) put_page_up(w, **release);
  const auto project = project_of(*release);
  const auto limit = w.settings.upgrade.start_timeout;
  if (auto images = co_await have_images(w, project, id); !images) co_return not_yet(w, images.error());
  if (w.dead_mounts || !w.settled)
    if (auto free = co_await let_go_of_dead_mounts(w, id); !free) co_return not_yet(w, free.error());
  if (bundled(w)) {
    if (auto up = co_await bring_up(w, *release, infrastructure((*release)->project), id, limit, false); !up)
      co_return not_yet(w, up.error());
    auto schema = co_await lease_and_schema(w);
    if (!schema) co_return hold_or_not_yet(w, schema.error());
    // Only now is known what the ledger should agree with.
    auto again = choose_start(co_await known_facts_of(w, *schema));
    if (again.action == start_action::hold) co_return co_await hold_by(w, std::move(again));
  }
  if (auto known = co_await revision_known(w, **release); !known) {
    if (known.error().code != "revision-mismatch") co_return not_yet(w, known.error());
    stand(w, phase::holding, known.error().message);
    co_return ended{"held", {}, known.error()};
  }
  ++w.failed_starts;
  if (auto up = co_await bring_all_up(w, *release, id, false); !up) co_return not_yet(w, up.error());
  if (auto good = co_await await_answers(w, *release); !good) co_return not_yet(w, good.error());
  w.failed_starts = 0;
  co_await keep_in_force(w, *release);
  if (from == origin::taking_in && !w.not_kept) w.edited_overlay.clear();
  stand(w, phase::serving, "Dify " + which.text() + " is up");
  co_return done_as("Dify " + which.text() + " is up");
}

namespace {

task<ended> upgrade_as_configured(world& w, version to, std::string id, origin from) {
  const auto start = w.operation.get()->value_or(control::operation_status{});
  auto how = co_await upgrade_at_start(w, id, std::move(to));
  // Refused: what is deployed serves on.
  if (how.result != "refused") co_return how;
  log::warning("start", "the configured version is refused", {{"cause", how.error.message}});
  // It is a start again.
  w.operation.set(start);
  w.refused = how.error;
  const auto& deployed = w.book->current().deployed->version;
  auto ran = w.stands.get()->at == phase::serving ? done_as("Dify " + deployed.text() + " is up")
                                                  : co_await run_deployed(w, deployed, id, from);
  if (ran.result == "done") ran.text += "; " + how.error.message;
  co_return ran;
}

task<ended> act(world& w, start_choice choice, std::string id, origin from) {
  if (!choice.warning.empty()) log::warning("start", choice.warning);
  switch (choice.action) {
    case start_action::hold:
      co_return co_await hold_by(w, std::move(choice));
    case start_action::resume:
      co_return co_await resume_upgrade(w);
    case start_action::install:
      if (auto free = co_await nobody_at_it(w); !free) co_return not_yet(w, free.error());
      co_return co_await upgrade_at_start(w, id, *choice.target);
    case start_action::adopt:
      log::info("start", "adopted: the storage has no ledger and the database is of a known release",
                {{"version", choice.target->text()}});
      if (auto made = co_await make_deployed(w, id, *choice.target); !made)
        co_return not_yet(w, made.error());
      co_return co_await run_deployed(w, *choice.target, id);
    case start_action::run:
      co_return co_await run_deployed(w, *choice.target, id, from);
    case start_action::run_then_upgrade: {
      auto ran = co_await run_deployed(w, w.book->current().deployed->version, id, from);
      // What does not come up may be mended by the newer version.
      if (ran.result == "held") co_return ran;
      co_return co_await upgrade_as_configured(w, *choice.target, id, from);
    }
    case start_action::upgrade:
      co_return co_await upgrade_as_configured(w, *choice.target, id, from);
  }
  co_return failed_with({"internal", "no such start", {}});
}

}  // namespace

task<void> learn(world& w) {
  if (co_await prove_storage(w)) (void)co_await open_ledger(w);
  co_await know_release(w);
}

void stand_stopped(world& w) {
  const auto* held = w.book ? held_upgrade(w.book->current()) : nullptr;
  stand(w, phase::stopped,
        held ? "stopped by the operator; the upgrade to " + held->to.text() + " is still held"
             : "stopped by the operator",
        {"difyd up starts the stack"});
}

void stand_as_known(world& w) {
  if (stopped_by_operator(w)) return stand_stopped(w);
  if (!w.book) return;
  const auto& book = w.book->current();
  if (book.restoring) return stand(w, phase::holding, "no daemon goes on with it");
  if (const auto* held = held_upgrade(book))
    return stand(w, phase::holding, held->reason, hold_options(book, *w.backups.get()));
  if (book.in_flight) return stand(w, phase::upgrading, "no daemon goes on with it");
  if (book.deployed) stand(w, phase::serving);
}

namespace {

// On the last good configuration difyd watches and answers; it starts nothing that may not be meant any more.
task<ended> hold_on_the_last_good(world& w) {
  const auto& why = *w.invalid_configuration;
  co_await learn(w);
  stand(w, phase::holding, "the configuration is not valid: " + why.message,
        {"correct it (difyd config check), then: systemctl restart difyd"});
  co_await put_page_up_while_down(w);
  co_return ended{"held", {}, why};
}

task<ended> start(world& w, std::string id, origin from) {
  if (w.invalid_configuration) co_return co_await hold_on_the_last_good(w);
  if (stopped_by_operator(w)) {
    // What the ledger knows is told in any case: a hold stays a hold.
    (void)co_await have_storage(w, id);
    co_await learn(w);
    stand_stopped(w);
    co_await put_page_up_while_down(w);
    co_return done_as("stopped by the operator");
  }
  if (auto proven = co_await have_storage(w, id); !proven) co_return not_yet(w, proven.error());
  if (auto connected = co_await w.engine.connect(); !connected) co_return not_yet(w, connected.error());
  co_await sweep_leftovers(w);
  if (!w.aside.running()) co_await sweep_clients(w);
  if (auto opened = co_await open_ledger(w); !opened) co_return hold_or_not_yet(w, opened.error());
  std::optional<revision> schema;
  if (!bundled(w)) {
    auto reached = co_await lease_and_schema(w);
    if (!reached) co_return hold_or_not_yet(w, reached.error());
    schema = *reached;
  } else if (!w.book->current().restoring) {
    auto asked = co_await schema_from_before(w, id);
    if (!asked) co_return hold_or_not_yet(w, asked.error());
    schema = std::move(*asked);
  }
  // Until the lease was ours another machine may have written the ledger.
  if (schema)
    if (auto read = co_await w.book->reload(); !read) co_return not_yet(w, read.error());
  if (w.book->current().restoring) co_return co_await resume_restore(w, std::move(id));
  co_return co_await act(w, choose_start(co_await gather(w, std::move(schema), id)), id, from);
}

}  // namespace

task<ended> start_up(world& w, std::string id) {
  co_return co_await start(w, std::move(id), origin::in_force);
}

task<ended> up_by_operator(world& w, std::string id) {
  co_return co_await start(w, std::move(id), origin::taking_in);
}

}  // namespace difyd::supervisor
