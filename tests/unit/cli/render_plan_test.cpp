#include "../../../daemon/cli/render.hpp"
#include "catch.hpp"

using namespace difyd;

namespace {

control::plan small_hop() {
  control::plan plan;
  plan.from = "1.11.4";
  plan.to = "1.12.1";
  plan.hash = "0123456789ab-0123456789abcdef";
  plan.downtime = {14.2,
                   "u1",
                   "1.11.3",
                   "1.11.4",
                   "2026-11-20T13:16:53.000Z",
                   {{"stop", 3.34}, {"backup", 0.01}, {"start", 10.9}}};
  plan.reversible = "until step migrate has changed the database";
  plan.backup = "NONE is configured";
  plan.schema = {"905527cc8fd3", "788d3099ae3a", {{"5e12", "Words.", ""}, {"788d", "", "COMMIT"}}, ""};
  plan.disk = {"/var/lib/docker", 3 << 20, 1 << 20, false};
  plan.images = {{"api:2", false, true, "", "", 0, 1 << 20},
                 {"web:2", true, true, "sha256:0123456789abcdef", "", 2 << 20, 0},
                 {"redis:6", true, false, "sha256:9", "", 1, 0}};
  plan.environment = {{"DB_HOST", "changed", "", "db", "db_postgres", "db", "db_postgres", false, "database"},
                      {"OTHER", "added", "", "", "1", "", "1", false, ""}};
  plan.carried = {"SECRET_KEY"};
  plan.operations = {{"recreate container", "d-api-1", "api", "image changed"},
                     {"recreate container", "d-web-1", "web", "image changed"},
                     {"remove network", "d_x", "", "orphan"}};
  plan.notes = {"a word"};
  return plan;
}

}  // namespace

TEST_CASE("a plan says first what is decided on, then what it is made of") {
  CHECK(cli::render(small_hop()) ==
        "plan for 1.11.4 -> 1.12.1\n"
        "do it     difyd upgrade 1.12.1 --plan 0123456789ab-0123456789abcdef\n"
        "before    nothing has to be acknowledged\n"
        "downtime  about 14 s, as 1.11.3 -> 1.11.4 took on 2026-11-20 (stop 3.3 s, start 11 s), whose\n"
        "          migrations were others\n"
        "back      until step migrate has changed the database\n"
        "backup    NONE is configured\n"
        "schema    905527cc8fd3 -> 788d3099ae3a, 2 migrations, 1 of them commits midway\n"
        "disk      1 image to pull, about 1.0 MiB by what their predecessors take, and some that have none;\n"
        "          3.0 MiB free in /var/lib/docker\n"
        "\nmigrations\n  5e12  Words.\n  788d  COMMITS MIDWAY (COMMIT)\n"
        "\nenvironment: 1 added, 1 default changed\n"
        "  matters   key      what     old default  new default  in force  then\n"
        "  database  DB_HOST  changed  db           db_postgres  db        db_postgres\n"
        "  the others: difyd env diff 1.11.4 1.12.1\n"
        "\ncarried forward\n  SECRET_KEY\n"
        "\nimages\n  pull  api:2\n  here  web:2  2.0 MiB  sha256:0123456789ab\n  here and in use already: 1\n"
        "\noperations\n  recreate container (image changed): api web\n  remove network (orphan): d_x\n"
        "\nnotes\n  a word\n");
}

TEST_CASE("operations are told in few lines") {
  control::plan plan;
  plan.operations = {
      {"recreate container", "d-api-1", "api",
       "configuration changed: environment.A, environment.B, image, volumes"},
      {"set restart policy", "d-api-1", "api", "restarts are difyd's"},
      {"start container", "d-api-1", "api", "recreated"},
      {"recreate container", "d-x-1", "x", "configuration changed: environment.A, image, volumes"},
      {"recreate container", "d-y-1", "y", "configuration changed: environment.A, environment.B and 9 more"},
      {"start container", "d-z-1", "z", "not running: exited (1)"}};
  CHECK(cli::render(plan).ends_with(
      "\noperations\n  recreate container (configuration changed: environment, image, volumes): api x\n"
      "  recreate container (configuration changed: environment, ...): y\n"
      "  start container (not running: exited (1)): z\n"));
}

TEST_CASE("a plan says what it does not know") {
  auto plan = small_hop();
  plan.downtime = {};
  plan.schema = {"905527cc8fd3", "", {}, "api:2 is not here yet"};
  plan.disk.needed_bytes = 0;
  const std::string text = cli::render(plan);
  CAPTURE(text);
  CHECK(text.find("\ndowntime  not known: no upgrade has been done here yet\n") != std::string::npos);
  CHECK(text.find("\nschema    905527cc8fd3 -> not known: api:2 is not here yet\n") != std::string::npos);
  CHECK(text.find("\ndisk      1 image to pull, whose size is known after the pull; 3.0 MiB free in") !=
        std::string::npos);
}

TEST_CASE("a plan says what becomes of the data services") {
  auto plan = small_hop();
  plan.data_services = {{"db_postgres", "renamed", "db", "postgres:15", false, "db is stopped"},
                        {"redis", "settings", "", "command", false, "made anew"}};
  plan.services_added = {"agent", "db_postgres"};
  plan.services_removed = {"db"};
  const std::string text = cli::render(plan);
  CAPTURE(text);
  CHECK(text.find("\ndata services\n  db_postgres (renamed): db is stopped\n"
                  "  redis (settings): made anew\n      changed: command\n"
                  "\nnew services\n  agent db_postgres\n\nservices no longer there\n  db\n") !=
        std::string::npos);
}

TEST_CASE("a plan of converging has no word of an upgrade") {
  auto plan = small_hop();
  plan.from = plan.to;
  const std::string text = cli::render(plan);
  CAPTURE(text);
  CHECK(text.starts_with("plan for 1.12.1 as configured\nschema    "));
  CHECK(text.find("difyd upgrade") == std::string::npos);
}

TEST_CASE("a plan names the files of the overlay whose published original changed") {
  auto plan = small_hop();
  CHECK(cli::render(plan).find("overlay") == std::string::npos);
  plan.overlay = {{"nginx/nginx.conf.template", "changed"}, {"nginx/https.conf.template", "removed"}};
  plan.overlay_original = "/b/dify-2/docker";
  CHECK_THAT(cli::render(plan),
             Catch::Contains("\noverlay files whose published original changed\n"
                             "  nginx/nginx.conf.template (changed)\n  nginx/https.conf.template (removed)\n"
                             "      yours replace them all the same; compare them with /b/dify-2/docker\n"));
}

TEST_CASE("a plan says what to acknowledge, where to run what, and what is good to know") {
  control::plan plan;
  plan.from = "1.14.0";
  plan.to = "1.16.0";
  plan.advisories = {{"halt", "stop", true, "Upgrade to 1.15.0 first.", "", {}, "", "", "release note"},
                     {"key", "value", true, "A key.", "", {}, "SOME_KEY", "1", ""},
                     {"own", "value", true, "Another.", "", {}, "OWN_KEY", "", ""},
                     {"job",
                      "after",
                      true,
                      std::string(60, 'a') + " " + std::string(60, 'b'),
                      "api",
                      {"flask x", "flask y"},
                      "",
                      "",
                      ""},
                     {"early", "before", true, "Now.", "api", {"flask z"}, "", "", ""},
                     {"news", "note", false, "Something is new.", "", {}, "", "", "PR 1"}};
  const std::string text = cli::render(plan);
  CAPTURE(text);
  CHECK(text.find("\nbefore this upgrade; each wants difyd upgrade 1.16.0 --acknowledge ID\n"
                  "  halt (stop)\n      Upgrade to 1.15.0 first.\n      see release note\n"
                  "  key\n      A key.\n      set SOME_KEY to 1\n"
                  "  own\n      Another.\n      set OWN_KEY\n"
                  "  job\n      " +
                  std::string(60, 'a') + "\n      " + std::string(60, 'b') +
                  "\n"
                  "      difyd runs in api, once 1.16.0 serves: flask x\n      difyd runs in api, once "
                  "1.16.0 serves: flask y\n"
                  "  early\n      Now.\n      difyd runs in api, before the stop: flask z\n"
                  "\ngood to know\n  news\n      Something is new.\n      see PR 1\n") != std::string::npos);
  const auto again = control::parse_plan(control::to_json(plan));
  REQUIRE(again);
  CHECK(cli::render(*again) == text);
}

TEST_CASE("a plan gives no command that would be refused") {
  auto plan = small_hop();
  plan.advisories = {{"one", "value", true, "Words.", "", {}, "", "", ""},
                     {"note", "note", false, "Words.", "", {}, "", "", ""},
                     {"two", "manual", true, "Words.", "", {}, "", "", ""}};
  CHECK(
      cli::render(plan).starts_with("plan for 1.11.4 -> 1.12.1\n"
                                    "first     read, and see to, what is told below of one, two\n"
                                    "do it     difyd upgrade 1.12.1 --plan 0123456789ab-0123456789abcdef "
                                    "--acknowledge one --acknowledge two\n"
                                    "downtime  "));
  plan.advisories.push_back({"halt", "stop", true, "Words.", "", {}, "", "", ""});
  CHECK(
      cli::render(plan).starts_with("plan for 1.11.4 -> 1.12.1\n"
                                    "first     what is told below of halt, then: difyd plan 1.12.1\n"
                                    "downtime  "));
  plan.refused = "cannot read advisories.yaml: it has format 2. Install a newer difyd";
  const std::string text = cli::render(plan);
  CAPTURE(text);
  CHECK(text.starts_with(
      "plan for 1.11.4 -> 1.12.1\nrefused   cannot read advisories.yaml: it has format 2. Install "
      "a newer difyd\nfirst     mend that, then: difyd plan 1.12.1\ndowntime  "));
  CHECK(text.find("--plan") == std::string::npos);
}
