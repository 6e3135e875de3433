#include "../../../daemon/database/classify.hpp"
#include "../../../daemon/database/connection_text.hpp"
#include "catch.hpp"
#include "difyd/database/lease.hpp"

using namespace difyd;
using namespace difyd::database;

namespace {

endpoint where() {
  endpoint e;
  e.host = "db.example";
  e.user = "dify";
  e.password = "it's a \\ secret";
  return e;
}

}  // namespace

TEST_CASE("SQLSTATEs and texts become codes with a remedy") {
  struct row {
    failure seen;
    std::string code, message;
  };
  const row rows[] = {
      {{"28P01", "FATAL:  Passwort-Authentifizierung"},
       "database-auth",
       "cannot ask: Passwort-Authentifizierung"},
      {{"28000", "x"}, "database-auth", "cannot ask: x"},
      {{"3D000", "x"}, "database-missing", "cannot ask: x"},
      {{"42501", "ERROR:  permission denied for table t\n"},
       "database-permission",
       "cannot ask: permission denied for table t"},
      {{"25006", "x"}, "database-read-only", "cannot ask: x"},
      {{"53300", "x"}, "database-too-many-connections", "cannot ask: x"},
      {{"57P03", "x"}, "database-starting", "cannot ask: x"},
      {{"57P01", "x"}, "database-unreachable", "cannot ask: x"},
      {{"57014", "x"}, "database-timeout", "cannot ask: x"},
      {{"08006", "x"}, "database-unreachable", "cannot ask: x"},
      {{"42P01", "ERROR:  relation \"x\" does not exist\nLINE 1: select * from x\n   ^"},
       "database-failed",
       "cannot ask: relation \"x\" does not exist"},
      {{"",
        "connection to server at \"10.0.0.3\", port 5432 failed: FATAL:  database \"d\" does not exist\n"},
       "database-missing",
       "cannot ask: database \"d\" does not exist"},
      {{"",
        "connection to server at \"x\" failed: Connection refused\n\tIs the server running on that host?\n"},
       "database-refused",
       "cannot ask: connection to server at \"x\" failed: Connection refused"},
      {{"", "server does not support SSL, but SSL was required"},
       "database-tls",
       "cannot ask: server does not support SSL, but SSL was required"},
      {{"", ""}, "database-failed", "cannot ask: no reason given"},
      {{"", "it's a \\ secret leaked"}, "database-failed", "cannot ask: (password) leaked"},
  };
  for (const auto& each : rows) {
    CAPTURE(each.seen.text);
    const Error error = classify(each.seen, where(), "main", "ask");
    CHECK(error.code == each.code);
    CHECK(error.message == each.message);
    CHECK(error.remedy.find('{') == std::string::npos);
  }
  CHECK(classify({"3D000", "x"}, where(), "main", "ask").remedy ==
        "Create database main, owned by role dify");
  auto other = where();
  other.keys = "rehearsal";
  CHECK(classify({"25006", "x"}, other, "main", "ask").remedy ==
        "Point rehearsal.host at the primary server");
}

TEST_CASE("an endpoint as libpq wants it") {
  const std::string text = connection_text(where(), "d", {"10.0.0.1", "10.0.0.2"});
  for (const char* part :
       {"host='db.example,db.example' hostaddr='10.0.0.1,10.0.0.2'", "password='it\\'s a \\\\ secret'",
        "connect_timeout='5'", "tcp_user_timeout='10000'", "gssencmode='disable'", "application_name='difyd'",
        "sslmode='prefer'", "statement_timeout=9000"}) {
    CAPTURE(part, text);
    CHECK(text.find(part) != std::string::npos);
  }
  endpoint local = where();
  local.host = "/run/postgresql";
  CHECK(connection_text(local, "d", {}).starts_with("host='/run/postgresql' port='5432'"));
  CHECK(to_text(local) == "/run/postgresql (port 5432)");
  CHECK(to_text(where()) == "db.example:5432");
}

TEST_CASE("the lease's key never changes") { CHECK(lease::key() == -515412377118227394); }

TEST_CASE("a silent owner is inherited from by both rules, a stopped one at once") {
  using namespace std::chrono_literals;
  const inheritance rules;
  struct {
    bool stack_up;
    double seconds_since_renewal;
    duration quiet;
    bool inherits;
  } const table[] = {
      {false, 0, -1ms, true},       // nothing of it runs
      {true, 0, -1ms, false},       //
      {true, 119.9, 60s, false},    // may only be slow
      {true, 120, 59999ms, false},  // its containers may only be reconnecting
      {true, 120, 60s, true},       //
      {true, 1e6, -1ms, false},     // sessions are there: the stack runs without its difyd
  };
  for (const auto& each : table) {
    owner former;
    former.stack_up = each.stack_up;
    former.seconds_since_renewal = each.seconds_since_renewal;
    CAPTURE(each.stack_up, each.seconds_since_renewal, each.quiet.count());
    CHECK(may_inherit(former, each.quiet, rules) == each.inherits);
  }
}
