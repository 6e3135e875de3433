#include "../../../daemon/cli/render.hpp"

#include "../../../daemon/cli/progress.hpp"
#include "catch.hpp"

using namespace difyd;

TEST_CASE("a table pads its columns and leaves no blanks at line ends") {
  CHECK(cli::table({{"A", "B"}, {"long", ""}}) == "A     B\nlong\n");
}

TEST_CASE("a hold shows its options, findings show their remedies") {
  control::status status;
  status.phase = "holding";
  status.message = "the migration failed half-way";
  status.options = {"difyd resume: goes on", "difyd rollback: loses what was written since"};
  finding found;
  found.subject = "disk";
  found.level = severity::error;
  found.detail = "3 % free";
  found.remedy = "Free space";
  status.findings = {found};
  const std::string text = cli::render(status);
  CHECK(text.find("phase     holding: the migration failed half-way\n          difyd resume: goes on\n") ==
        0);
  CHECK(text.find("findings\n  error  disk: 3 % free\n      -> Free space\n") != std::string::npos);
}

TEST_CASE("a service shows its container's image and marks another one that is wanted") {
  control::service_status same, other, missing;
  same = {"api", "d-api-1", "api:2", "", "running", "healthy", 0, "", false};
  other = {"web", "d-web-1", "web:1", "web:2", "running", "", 0, "", false};
  missing = {"nginx", "", "", "nginx:2", "missing", "", 0, "", false};
  CHECK(cli::render_services({same, other, missing}) ==
        "SERVICE  STATE              IMAGE                  CONTAINER\n"
        "api      running (healthy)  api:2                  d-api-1\n"
        "web      running            web:1 (wanted: web:2)  d-web-1\n"
        "nginx    missing            - (wanted: nginx:2)    -\n");
}

TEST_CASE("a remedy of several commands has a line for each, and none is said twice") {
  control::status status;
  status.phase = "holding";
  status.options = {"difyd upgrade 2: tries again"};
  finding found;
  found.subject = "upgrade";
  found.level = severity::error;
  found.detail = "held";
  found.remedy = "difyd upgrade 2: tries again\ndifyd logs: shows more";
  status.findings = {found};
  CHECK(cli::render(status).find("findings\n  error  upgrade: held\n      -> difyd logs: shows more\n") !=
        std::string::npos);
  status.options.clear();
  CHECK(cli::render(status).find("      -> difyd upgrade 2: tries again\n      -> difyd logs") !=
        std::string::npos);
}

TEST_CASE("a wanted version is shown where it differs, an older one as ignored") {
  struct row {
    const char* deployed;
    const char* wanted;
    const char* line;
  };
  const row rows[] = {{"1.12.1", "1.12.1", "dify      1.12.1\n"},
                      {"1.12.1", "", "dify      1.12.1\n"},
                      {"1.12.1", "1.13.0", "dify      1.12.1 (wanted: 1.13.0)\n"},
                      {"1.12.1", "1.11.3", "dify      1.12.1 (configured: 1.11.3, older: ignored)\n"},
                      {"", "1.11.3", "dify      - (wanted: 1.11.3)\n"}};
  for (const auto& each : rows) {
    control::status status;
    status.deployed = each.deployed;
    status.wanted = each.wanted;
    CHECK(cli::render(status).find(each.line) != std::string::npos);
  }
}

TEST_CASE("results have their exit codes") {
  CHECK(cli::result_code("done") == 0);
  CHECK(cli::result_code("refused") == 4);
  CHECK(cli::result_code("undone") == 5);
  CHECK(cli::result_code("held") == 6);
  CHECK(cli::result_code("anything") == 1);
}

TEST_CASE("events are one line each") {
  control::event event;
  event.time = "2026-11-20T11:02:31.123Z";
  event.kind = "step";
  event.subject = "stop";
  event.state = "done";
  event.text = "2.1 s";
  CHECK(cli::event_line(event) == "11:02:31  step stop done: 2.1 s");
}
