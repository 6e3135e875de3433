#include "../../../daemon/cli/context.hpp"
#include "../../../daemon/cli/progress.hpp"
#include "../../../daemon/cli/stack_logs.hpp"
#include "catch.hpp"

using namespace difyd;

TEST_CASE("an error is one JSON object, with its place where the message has one") {
  struct row {
    Error error;
    std::string json;
  };
  const row rows[] = {
      {{"not-ready", "cannot upgrade: \"x\"", "Wait"},
       R"({"error":{"code":"not-ready","message":"cannot upgrade: \"x\"","remedy":"Wait"}})"},
      {{"config-unknown-key", "cannot use /my dir/d.yaml:3:1: unknown key a", ""},
       R"({"error":{"code":"config-unknown-key","message":"cannot use /my dir/d.yaml:3:1: unknown key a",)"
       R"("remedy":"","file":"/my dir/d.yaml","line":3,"column":1}})"},
      {{"compose-syntax", "cannot read /p/.env:7: unexpected x", ""},
       R"({"error":{"code":"compose-syntax","message":"cannot read /p/.env:7: unexpected x","remedy":"",)"
       R"("file":"/p/.env","line":7}})"},
      {{"config-unreadable", "cannot read /c.yaml: No such file", ""},
       R"({"error":{"code":"config-unreadable","message":"cannot read /c.yaml: No such file","remedy":"",)"
       R"("file":"/c.yaml"}})"},
      {{"compose-invalid", "cannot load the project: out of memory", ""},
       R"({"error":{"code":"compose-invalid","message":"cannot load the project: out of memory","remedy":""}})"},
      {{"engine-away", "cannot use tcp://10.0.0.1:2375: refused", ""},
       R"({"error":{"code":"engine-away","message":"cannot use tcp://10.0.0.1:2375: refused","remedy":""}})"},
  };
  for (const auto& each : rows) CHECK(cli::error_json(each.error) == each.json);
}

TEST_CASE("the same kind of mistake has the same exit code") {
  for (const char* code : {"bad-request", "bad-version", "version-older", "version-deployed",
                           "release-unknown", "no-such-service", "no-such-migration", "no-such-advisory",
                           "config-unknown-key", "config-unreadable"})
    CHECK(cli::exit_code_of({code, "", ""}) == cli::usage_error);
  for (const char* code : {"daemon-not-running", "daemon-denied", "daemon-silent", "daemon-gone"})
    CHECK(cli::exit_code_of({code, "", ""}) == cli::no_daemon);
  for (const char* code : {"upgrade-in-flight", "not-ready", "not-serving", "release-incomplete"})
    CHECK(cli::exit_code_of({code, "", ""}) == cli::refused);
  CHECK(cli::exit_code_of({"bad-answer", "", ""}) == cli::failed);
}

TEST_CASE("results have the exit code of the mistake, too") {
  CHECK(cli::result_code("refused", "version-older") == cli::usage_error);
  CHECK(cli::result_code("refused", "release-unknown") == cli::usage_error);
  CHECK(cli::result_code("refused", "release-incomplete") == cli::refused);
  CHECK(cli::result_code("failed", "engine-away") == cli::failed);
  CHECK(cli::result_code("held", "version-older") == cli::held);
}

TEST_CASE("--tail takes a number or all") {
  for (const char* good : {"0", "5", "100000", "all"}) CHECK(cli::line_count(good).empty());
  for (const char* bad : {"", "x", "-1", "5x", "1.5", "ALL", "99999999999"})
    CHECK_FALSE(cli::line_count(bad).empty());
}

TEST_CASE("logs of what is not there") {
  using names = std::vector<std::string>;
  struct row {
    names asked, known, present;
    std::string code;
  };
  const row rows[] = {
      {{}, {"api", "web"}, {"api"}, ""},
      {{"api"}, {"api", "web"}, {"api"}, ""},
      {{"api", "web"}, {"api", "web"}, {"api"}, ""},
      {{"apy"}, {"api", "web"}, {"api"}, "no-such-service"},
      {{"api", "nosuch"}, {"api", "web"}, {"api"}, "no-such-service"},
      {{"web"}, {"api", "web"}, {"api"}, "no-container"},
      {{}, {"api", "web"}, {}, "stack-down"},
      {{"api"}, {"api", "web"}, {}, "stack-down"},
      {{"nosuch"}, {"api", "web"}, {}, "no-such-service"},
      {{"api"}, {}, {}, "stack-down"},
  };
  for (const auto& each : rows) {
    const auto error = cli::nothing_to_show(each.asked, each.known, each.present, "dify");
    CHECK((error ? error->code : "") == each.code);
  }
  const auto error = cli::nothing_to_show({"apy"}, {"web", "api"}, {"api"}, "dify");
  CHECK(error->message == "cannot show the logs of apy: the stack has no such service");
  CHECK(error->remedy == "Did you mean api? It has api, web");
}

TEST_CASE("who attaches to an upgrade sees the steps that no event tells any more") {
  control::operation_status upgrade;
  upgrade.id = "u";
  upgrade.steps = {{"admit", "done", "2026-11-20T11:00:00.000Z", 0.1, "a"},
                   {"prepare", "done", "2026-11-20T11:00:01.000Z", 1, "b"},
                   {"drain", "begun", "2026-11-20T11:00:02.000Z", 0, ""}};
  control::event first;
  first.kind = "step";
  first.subject = "admit";
  first.time = "2026-11-20T11:00:00.001Z";
  CHECK(cli::earlier_steps(upgrade, first).empty());
  first.kind = "service";
  first.subject = "api";
  first.time = "2026-11-20T11:00:01.500Z";
  const auto lines = cli::earlier_steps(upgrade, first);
  REQUIRE(lines.size() == 2);
  CHECK(cli::event_line(lines[1]) == "11:00:01  step prepare done: b");
}
