#include "../../../daemon/supervisor/known.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000 * 24h;

version v(const char* text) { return *parse_version(text); }

ledger::upgrade_record past(const char* id, ledger::ending how, wall_time ended, bool first = false) {
  ledger::upgrade_record result;
  result.id = id;
  if (!first) result.from = v("1.12.1");
  result.to = v("1.12.3");
  result.started_at = ended - 1min;
  result.ended_at = ended;
  result.result = how;
  result.reason = "the migration failed";
  return result;
}

ledger::journal flight(const char* id) {
  ledger::journal journal;
  journal.id = id;
  journal.from = v("1.12.1");
  journal.to = v("1.12.3");
  return journal;
}

ledger::record deployed(const char* which) {
  ledger::record book;
  book.deployed.emplace();
  book.deployed->version = v(which);
  return book;
}

std::vector<std::string> codes(const known_facts& facts) {
  std::vector<std::string> result;
  for (const auto& each : known_findings(facts)) result.push_back(each.code);
  return result;
}

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("a held upgrade stays a finding in every phase until it is resolved") {
  known_facts facts;
  facts.book = deployed("1.12.1");
  facts.book.in_flight = flight("b");
  facts.book.history = {past("a", ledger::ending::held, start - 1h), past("b", ledger::ending::held, start)};
  facts.book.migrations.emplace_back();
  facts.book.migrations.back().id = "b";
  facts.book.in_flight->entries.push_back({"migrate", ledger::entry_state::failed, start, "x", true});
  facts.now = start + 48h;
  for (const auto at : {phase::holding, phase::stopped, phase::starting, phase::waiting_for_lease}) {
    facts.at = at;
    const auto found = known_findings(facts);
    REQUIRE(found.size() == 1);
    CHECK(found[0].subject == "upgrade");
    CHECK(found[0].code == "upgrade-held");
    CHECK(found[0].level == severity::error);
    CHECK(found[0].since == start);
    CHECK(found[0].detail ==
          "the upgrade from 1.12.1 to 1.12.3 is held since 2024-10-04 00:00:00 UTC: the migration failed");
    if (at != phase::stopped)
      CHECK(found[0].remedy ==
            "difyd migrations log b: shows what the migration said; changes nothing\n"
            "difyd resume: tries the same upgrade again, from where the database is\n"
            "difyd upgrade VERSION: goes forward to a release that fixes it");
  }
  facts.book.in_flight->entries.push_back(
      {"backup", ledger::entry_state::done, start, "/srv/dify/.difyd/backups/x: dify 12 bytes", false});
  CHECK(known_findings(facts)[0].detail.ends_with(
      ": the migration failed; backup: /srv/dify/.difyd/backups/x: dify 12 bytes"));
  facts.at = phase::stopped;
  CHECK(known_findings(facts)[0].remedy.find("\ndifyd up, then difyd resume: ") != std::string::npos);
  // Another upgrade took its place, or it is over.
  facts.book.in_flight = flight("c");
  CHECK(codes(facts).empty());
  facts.book.in_flight.reset();
  CHECK(codes(facts).empty());
}

TEST_CASE("a hold names the backup that leads out of it, and not what is none") {
  auto book = deployed("1.12.1");
  book.in_flight = flight("b");
  book.history = {past("b", ledger::ending::held, start)};
  CHECK(hold_options(book, {}) ==
        words{"difyd rollback: puts 1.12.1 back; nothing is lost",
              "difyd resume, or difyd upgrade VERSION: tries it again, or a release that fixes it"});
  book.in_flight->entries.push_back({"migrate", ledger::entry_state::failed, start, "x", true});
  const words forward{"difyd resume: tries the same upgrade again, from where the database is",
                      "difyd upgrade VERSION: goes forward to a release that fixes it"};
  CHECK(hold_options(book, {}) == forward);
  backup_manifest backup;
  backup.id = "x";
  backup.time = start;
  backup.kind = "pg_dump";
  backup.version = v("1.12.0");
  backup.databases = {"dify"};
  CHECK(hold_options(book, {backup}) == forward);
  backup.version = v("1.12.1");
  CHECK(
      hold_options(book, {backup}, true) ==
      words{
          "difyd up, then difyd rollback --restore x: puts 1.12.1 back as it was at 2024-10-04 00:00:00 UTC; "
          "what was written since is lost to it",
          "difyd up, then difyd resume, or difyd upgrade VERSION: tries it again, or a release that fixes "
          "it"});
  backup.half_migrated = true;
  CHECK(hold_options(book, {backup}) == forward);
}

TEST_CASE("a restore that is not finished is told instead of the hold that it leaves") {
  known_facts facts;
  facts.book = deployed("1.12.1");
  facts.book.in_flight = flight("b");
  facts.book.history = {past("b", ledger::ending::held, start)};
  facts.book.restoring.emplace();
  facts.book.restoring->backup = "x";
  facts.book.restoring->started_at = start;
  facts.at = phase::holding;
  facts.message = "the image is gone";
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "restore-unfinished");
  CHECK(found[0].detail ==
        "the restore of backup x, begun 2024-10-04 00:00:00 UTC, is not finished: the image is gone");
  CHECK(found[0].remedy == "difyd up: goes on with the restore from where it is");

  // While it is at work there is nothing to do; and the version that it leaves is not to be configured.
  facts.at = phase::upgrading;
  facts.configured = v("1.11.3");
  CHECK(known_findings(facts).empty());
}

TEST_CASE("a hold without an upgrade is a finding with what the phase says") {
  known_facts facts;
  facts.book = deployed("1.12.1");
  facts.at = phase::holding;
  facts.message = "the database is empty";
  facts.options = {"one", "two"};
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "start-held");
  CHECK(found[0].detail == "the database is empty");
  CHECK(found[0].remedy == "one\ntwo");
}

TEST_CASE("an undone upgrade is a note for a day or until the next one") {
  known_facts facts;
  facts.at = phase::serving;
  facts.book = deployed("1.12.1");
  facts.book.history = {past("a", ledger::ending::undone, start)};
  facts.now = start + 23h;
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "upgrade-undone");
  CHECK(found[0].level == severity::info);
  CHECK(found[0].detail ==
        "1.12.3 was tried at 2024-10-03 23:59:00 UTC and 1.12.1 was put back, because the migration failed");
  CHECK(found[0].remedy == "difyd upgrade 1.12.3: tries it again, with the same downtime");
  facts.now = start + 25h;
  CHECK(codes(facts).empty());
  facts.now = start + 1h;
  facts.book.history.push_back(past("b", ledger::ending::done, start + 30min));
  CHECK(codes(facts).empty());
  facts.book.history = {past("a", ledger::ending::undone, start, true)};
  CHECK(known_findings(facts).at(0).detail ==
        "1.12.3 was tried at 2024-10-03 23:59:00 UTC and taken back, because the migration failed");
}

TEST_CASE("a configured version that is older than the deployed one is explained") {
  struct row {
    const char* configured;
    const char* deployed;
    words codes;
  };
  const row rows[] = {{"1.11.3", "1.12.1", {"version-ignored"}},
                      {"1.12.1", "1.12.1", {}},
                      {"1.13.0", "1.12.1", {}},
                      {nullptr, "1.12.1", {}},
                      {"1.11.3", nullptr, {}}};
  for (const auto& each : rows) {
    known_facts facts;
    if (each.deployed) facts.book = deployed(each.deployed);
    if (each.configured) facts.configured = v(each.configured);
    CHECK(codes(facts) == each.codes);
  }
}

TEST_CASE("why a start did not upgrade is a finding") {
  known_facts facts;
  facts.refused =
      Error{"advisories", "cannot upgrade to 1.13.0: not acknowledged: a", "difyd upgrade 1.13.0"};
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 1);
  CHECK(found[0].code == "version-refused");
  CHECK(found[0].detail == "the start did not upgrade: cannot upgrade to 1.13.0: not acknowledged: a");
  CHECK(found[0].remedy == "difyd upgrade 1.13.0");
}

TEST_CASE("what the share does not keep, and a bundle that was edited, are told") {
  known_facts facts;
  facts.at = phase::serving;
  facts.book.deployed = ledger::deployment{};
  facts.book.deployed->version = *parse_version("1.11.4");
  facts.edited_bundle = {"a", "b", "c", "d", "e", "f"};
  facts.not_kept = Error{"disk-full", "cannot write", "Free space"};
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 2);
  CHECK(found[0].code == "release-not-kept");
  CHECK(found[0].remedy == "Free space");
  CHECK(found[1].code == "bundle-edited");
  CHECK(found[1].detail.ends_with("runs: a, b, c, d and 2 more"));
  facts = {};
  facts.edited_overlay = {"nginx/ssl/dify.crt"};
  CHECK(codes(facts) == words{"overlay-edited"});
  CHECK(known_findings(facts)[0].remedy.starts_with("difyd up takes it in"));
}

TEST_CASE("a public or missing SECRET_KEY is a finding") {
  using release::secret_key;
  struct row {
    std::optional<enum secret_key> key;
    words codes;
  };
  const row rows[] = {{std::nullopt, {}},
                      {secret_key::own, {}},
                      {secret_key::published, {"secret-key-public"}},
                      {secret_key::empty, {"secret-key-empty"}}};
  for (const auto& each : rows) {
    known_facts facts;
    facts.secret_key = each.key;
    CHECK(codes(facts) == each.codes);
    for (const auto& found : known_findings(facts)) CHECK(found.level == severity::warning);
  }
}

TEST_CASE("what was stopped on purpose is not missed") {
  struct row {
    const char* subject;
    phase at;
    bool meant;
  };
  const row rows[] = {{"redis", phase::serving, true},          {"redis", phase::stopped, false},
                      {"redis", phase::holding, true},          {"database.main", phase::stopped, false},
                      {"database.main", phase::starting, true}, {"service.api", phase::serving, true},
                      {"service.api", phase::starting, true},   {"service.api", phase::upgrading, false},
                      {"service.api", phase::holding, false},   {"port.web", phase::stopped, false},
                      {"storage", phase::stopped, true},        {"engine", phase::stopped, true},
                      {"databases", phase::stopped, true}};
  for (const auto& each : rows) {
    INFO(each.subject << " " << to_text(each.at));
    finding found;
    found.subject = each.subject;
    CHECK(meant(found, each.at, {"redis", "database"}) == each.meant);
  }
  finding external;
  external.subject = "redis";
  CHECK(meant(external, phase::stopped, {}));
}

TEST_CASE("maintenance that is on is told about with its reason, and how it ends") {
  known_facts facts;
  CHECK(known_findings(facts).empty());
  facts.maintenance_since = start;
  facts.maintenance_reason = "new disks";
  const auto found = known_findings(facts);
  REQUIRE(found.size() == 1);
  CHECK(found.front().code == "maintenance-on");
  CHECK(found.front().level == severity::info);
  CHECK(found.front().since == start);
  CHECK(found.front().detail.ends_with("visitors see a page instead of Dify: new disks"));
  CHECK(found.front().remedy.starts_with("difyd maintenance off"));
}
