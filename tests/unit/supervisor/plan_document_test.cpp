#include "../../../daemon/supervisor/plan_document.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000 * 24h;

version of(const std::string& text) { return *parse_version(text); }

std::shared_ptr<release::release> release_of(const std::string& text, const std::string& postgres) {
  auto made = std::make_shared<release::release>();
  made->version = of(text);
  made->bundle_hash = "b" + text;
  made->project.working_dir = "/r/dify-" + text + "/docker";
  const std::map<std::string, std::string> services = {
      {"api", "langgenius/dify-api:" + text}, {"web", "langgenius/dify-web:" + text}, {"db", postgres}};
  for (const auto& [name, image] : services) {
    made->project.services[name].name = name;
    made->project.services[name].image = image;
  }
  compose::service_mount data;
  data.type = "bind";
  data.source = made->project.working_dir + "/volumes/db/data";
  made->project.services["db"].volumes = {data};
  return made;
}

plan_facts hop(const std::string& postgres = "postgres:15") {
  plan_facts facts;
  facts.before = release_of("1.11.4", "postgres:15");
  facts.after = release_of("1.12.1", postgres);
  facts.schema = {"a", "b", {{"b", "Words.", ""}}, ""};
  facts.backup = "pg_dump";
  return facts;
}

engine::image image(const std::string& id, std::int64_t size) {
  engine::image made;
  made.id = id;
  made.size = size;
  return made;
}

ledger::upgrade_record past(const std::string& id, const char* from, const char* to, ledger::ending result) {
  ledger::upgrade_record made;
  made.id = id;
  if (*from) made.from = of(from);
  made.to = of(to);
  made.result = result;
  made.steps = {{"drain", ledger::entry_state::done, start, start + 4s},
                {"stop", ledger::entry_state::done, start + 4s, start + 6s},
                {"migrate", ledger::entry_state::done, start + 6s, start + 9s},
                {"commit", ledger::entry_state::done, start + 10s, start + 11s}};
  return made;
}

control::plan made(const plan_facts& facts) {
  const auto document = document_of(facts);
  REQUIRE(document);
  return *document;
}

}  // namespace

TEST_CASE("an image that is here has its size, one to pull what its predecessor takes") {
  auto facts = hop();
  facts.disk = {"/docker", 1000, 0, true};
  facts.images = {{"langgenius/dify-api:1.11.4", image("sha256:1", 70)},
                  {"langgenius/dify-web:1.12.1", image("sha256:2", 30)},
                  {"postgres:15", image("sha256:3", 20)}};
  auto plan = made(facts);
  REQUIRE(plan.images.size() == 3);
  CHECK_FALSE(plan.images[0].present);
  CHECK(plan.images[0].estimate == 70);
  CHECK(plan.images[1].present);
  CHECK(plan.images[1].changed);
  CHECK(plan.images[1].bytes == 30);
  CHECK_FALSE(plan.images[2].changed);
  CHECK(plan.disk.needed_bytes == 70);
  CHECK(plan.disk.needed_known);
  facts.images.clear();
  plan = made(facts);
  CHECK(plan.disk.needed_bytes == 0);
  CHECK_FALSE(plan.disk.needed_known);
}

TEST_CASE("the expected downtime is that of the newest good upgrade, of the same hop first") {
  using enum ledger::ending;
  struct row {
    std::vector<ledger::upgrade_record> history;
    const char* model;
  };
  const row rows[] = {
      {{}, ""},
      {{past("install", "", "1.11.4", done)}, ""},
      {{past("undone", "1.11.4", "1.12.1", undone), past("held", "1.11.4", "1.12.1", held)}, ""},
      {{past("old", "1.10.1", "1.11.3", done), past("new", "1.11.3", "1.11.4", done)}, "new"},
      {{past("same", "1.11.4", "1.12.1", done), past("new", "1.11.3", "1.11.4", done)}, "same"},
      {{past("same", "1.11.4", "1.12.1", done), past("newer", "1.11.4", "1.12.1", done)}, "newer"}};
  for (const auto& each : rows) {
    INFO(each.model);
    auto facts = hop();
    facts.history = each.history;
    const auto downtime = made(facts).downtime;
    CHECK(downtime.upgrade == each.model);
    if (!downtime.upgrade.empty()) {
      CHECK(downtime.seconds == 7);
      CHECK(downtime.steps.size() == 3);
    }
  }
}

TEST_CASE("until where going back is possible, and what leads back after that") {
  auto facts = hop();
  CHECK(made(facts).reversible.starts_with("until step migrate has changed the database"));
  CHECK(made(facts).backup.starts_with("pg_dump of Dify's databases"));
  facts.backup = "cloudsql";
  CHECK(made(facts).backup.starts_with("Cloud SQL's own backups"));
  facts.backup = "none";
  CHECK(made(facts).backup.starts_with("NONE is configured"));
  facts.schema.migrations.clear();
  CHECK(made(facts).reversible.starts_with("in every step"));
  facts.schema.unknown = "not here";
  CHECK(made(facts).reversible.starts_with("until step migrate"));
  CHECK(made(hop("postgres:16")).reversible.starts_with("until step stop starts db with its new image"));
  CHECK(made(hop("postgres:16")).data_services.at(0).does ==
        "stopped and made anew with postgres:16 in step stop, on the same data");
}

TEST_CASE("the same facts have the same hash, and two services on one data directory no plan") {
  CHECK(made(hop()).hash == made(hop()).hash);
  CHECK(made(hop()).hash == control::plan_hash(made(hop())));
  CHECK(made(hop()).hash != made(hop("postgres:16")).hash);
  auto facts = hop();
  auto after = release_of("1.12.1", "postgres:15");
  after->project.services["db_postgres"] = after->project.services["db"];
  facts.after = after;
  CHECK(document_of(facts).error().code == "shared-data");
}

TEST_CASE("converging migrates nothing and takes no backup") {
  auto facts = hop();
  facts.before = facts.after;
  facts.history = {past("new", "1.11.3", "1.11.4", ledger::ending::done)};
  const auto plan = made(facts);
  CHECK(plan.backup.empty());
  CHECK(plan.reversible.empty());
  CHECK(plan.downtime.upgrade.empty());
}
