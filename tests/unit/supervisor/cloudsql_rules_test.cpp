#include "../../../daemon/supervisor/cloudsql_rules.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

using clock = cloud_backup::clock;

const clock::time_point begun = clock::time_point{} + 1h;

cloud_backup of(std::chrono::seconds limit = 1h) {
  return cloud_backup({"my-project", "dify-db"}, "difyd u1 before 1.12.1", begun, limit);
}

// Each answer comes right after what was asked for: "GET /v1/... +5s" is method, path and wait.
std::string asked(const cloud_backup& backup) {
  const auto next = backup.next();
  return next.method + " " + next.path.substr(next.path.find("/my-project") + 11) + " +" +
         std::to_string(next.wait.count()) + "s";
}

const char* const nothing = R"({"kind": "sql#backupRunsList"})";

}  // namespace

TEST_CASE("an instance is named by project and name, or by its connection name") {
  CHECK(parse_instance("p-1:db").value() == cloud_instance{"p-1", "db"});
  CHECK(parse_instance("p-1:europe-west1:db").value() == cloud_instance{"p-1", "db"});
  CHECK(parse_instance("example.com:p-1:db").value() == cloud_instance{"example.com:p-1", "db"});
  CHECK(parse_instance("example.com:p-1:asia-northeast1:db").value() ==
        cloud_instance{"example.com:p-1", "db"});
  for (const auto* bad : {"", "db", ":db", "p:", "a:b:c:d", "p:db/..", "P:DB", "p:d b"}) {
    CAPTURE(bad);
    CHECK(parse_instance(bad).error().code == "config-invalid");
  }
}

TEST_CASE("a backup is begun, awaited, and counts once the run itself is successful") {
  auto backup = of();
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +0s");
  backup.answer({200, nothing}, begun);
  CHECK(asked(backup) == "POST /instances/dify-db/backupRuns +0s");
  CHECK(backup.next().body == R"({"description":"difyd u1 before 1.12.1"})");
  backup.answer({200, R"({"name": "op-1", "status": "PENDING"})"}, begun);
  CHECK(backup.news() == "backup of my-project:dify-db is under way (operation op-1)");
  CHECK(asked(backup) == "GET /operations/op-1 +5s");
  backup.answer({200, R"({"name": "op-1", "status": "RUNNING"})"}, begun);
  CHECK(backup.news().empty());
  backup.answer({200, R"({"name": "op-1", "status": "DONE", "backupContext": {"backupId": "17"}})"}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns/17 +0s");
  backup.answer({200, R"({"id": "17", "status": "RUNNING"})"}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns/17 +5s");
  CHECK(backup.at() == cloud_backup::state::asking);
  backup.answer({200, R"({"id": "17", "status": "SUCCESSFUL", "endTime": "2026-11-21T18:00:00Z"})"}, begun);
  REQUIRE(backup.at() == cloud_backup::state::done);
  CHECK(backup.run() == cloud_run{"my-project:dify-db", "17", "2026-11-21T18:00:00Z"});
}

TEST_CASE("one of the same upgrade is found again, a failed one is not") {
  auto backup = of();
  backup.answer({200, R"({"items": [{"id": "3", "status": "SUCCESSFUL", "description": "another"},
                                    {"id": "4", "status": "FAILED", "description": "difyd u1 before 1.12.1"},
                                    {"id": "5", "status": "RUNNING", "description": "difyd u1 before 1.12.1"}]})"},
                begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns/5 +0s");
  auto failed = of();
  failed.answer(
      {200, R"({"items": [{"id": "4", "status": "FAILED", "description": "difyd u1 before 1.12.1"}]})"},
      begun);
  CHECK(asked(failed) == "POST /instances/dify-db/backupRuns +0s");
}

TEST_CASE("every way in which it ends badly has its cause and its remedy") {
  struct row {
    std::vector<cloud_answer> answers;
    const char* code;
    const char* cause;
    const char* remedy;
  };
  const cloud_answer list{200, nothing}, started{200, R"({"name": "op", "status": "RUNNING"})"},
      over{200, R"({"name": "op", "status": "DONE", "backupContext": {"backupId": "17"}})"};
  const std::vector<row> rows = {
      {{{403, R"({"error": {"message": "no right", "errors": [{"reason": "forbidden"}]}})"}},
       "cloudsql-denied",
       "403: no right",
       "cloudsql.backupRuns.create"},
      {{{403, R"({"error": {"message": "off", "errors": [{"reason": "accessNotConfigured"}]}})"}},
       "cloudsql-denied",
       "403: off",
       "gcloud services enable"},
      {{{401, ""}, {401, ""}}, "cloudsql-denied", "401", "scope cloud-platform"},
      {{list, {404, R"({"error": {"message": "no such instance"}})"}},
       "cloudsql-unknown",
       "404: no such instance",
       "upgrade.cloudsql_instances"},
      {{list, {400, R"({"error": {"message": "bad"}})"}}, "cloudsql-failed", "400: bad", ""},
      {{list, {200, "<html>"}}, "cloudsql-failed", "names no operation", ""},
      {{list,
        started,
        {200,
         R"({"name": "op", "status": "DONE", "error": {"errors": [{"code": "E1", "message": "why"}]}})"}},
       "cloudsql-failed",
       "E1: why",
       ""},
      {{list, started, over, {200, R"({"status": "FAILED", "error": {"message": "disk"}})"}},
       "cloudsql-failed",
       "backup run 17 is FAILED: disk",
       ""},
      {{list, started, over, {200, R"({"status": "SKIPPED"})"}},
       "cloudsql-failed",
       "backup run 17 is SKIPPED",
       "must be running"},
      {{list, started, over, {200, R"({"status": "DELETED"})"}}, "cloudsql-failed", "is DELETED", ""},
      {std::vector<cloud_answer>(9, {503, "busy"}), "cloudsql-failed", "503", "Try again later"},
      {std::vector<cloud_answer>(9, {0, "nobody listens there"}), "cloudsql-failed", "nobody listens there",
       ""},
  };
  for (const auto& each : rows) {
    CAPTURE(each.cause);
    auto backup = of();
    for (const auto& answer : each.answers) {
      REQUIRE(backup.at() == cloud_backup::state::asking);
      backup.answer(answer, begun);
    }
    REQUIRE(backup.at() == cloud_backup::state::failed);
    CHECK(backup.error().code == each.code);
    CHECK(backup.error().message.starts_with(
        "cannot take a backup of Cloud SQL instance my-project:dify-db: "));
    CHECK(backup.error().message.find(each.cause) != std::string::npos);
    CHECK(backup.error().remedy.find(each.remedy) != std::string::npos);
  }
}

TEST_CASE("what passes is waited for, within the limit") {
  auto backup = of();
  backup.answer({200, nothing}, begun);
  backup.answer({409, R"({"error": {"message": "busy", "errors": [{"reason": "operationInProgress"}]}})"},
                begun);
  // The backup may be what is under way: an answer can be lost.
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +20s");
  CHECK(backup.news() == "my-project:dify-db is busy with another operation; waiting for its end");
  backup.answer({200, nothing}, begun);
  backup.answer({0, "no answer within 60 s"}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +2s");
  backup.answer({429, ""}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +4s");
  backup.answer({403, R"({"error": {"errors": [{"reason": "rateLimitExceeded"}]}})"}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +8s");
  // A token that was let run out is fetched anew.
  backup.answer({401, ""}, begun);
  CHECK(asked(backup) == "GET /instances/dify-db/backupRuns?maxResults=20 +0s");
  backup.answer({200, nothing}, begun);
  CHECK(backup.at() == cloud_backup::state::asking);
  backup.answer({200, R"({"name": "op", "status": "RUNNING"})"}, begun + 1h);
  REQUIRE(backup.at() == cloud_backup::state::failed);
  CHECK(backup.error().code == "cloudsql-timeout");
}

TEST_CASE("the way back is told as commands, each with what it costs") {
  const auto text =
      restore_commands({{"p:dify-db", "17", "T1"}, {"p:vectors", "18", "T2"}}, {"1.11.4", "T3"});
  CHECK(text ==
        "difyd down: stops Dify; nothing else changes\n"
        "gcloud sql backups restore 17 --project=p --restore-instance=dify-db: puts the whole instance back "
        "as it "
        "was at T1; what was written since is lost to it\n"
        "gcloud sql backups restore 18 --project=p --restore-instance=vectors: puts the whole instance back "
        "as it "
        "was at T2; what was written since is lost to it\n"
        "difyd repin 1.11.4: proves that the database is that of 1.11.4, and starts it\n"
        "With point-in-time recovery nothing is lost, into a new instance: gcloud sql instances clone "
        "dify-db NEW "
        "--project=p --point-in-time=T3");
  CHECK(restore_commands({{"p:dify-db", "17", "T1"}}, {"1.11.4", ""}).find("clone") == std::string::npos);
}
