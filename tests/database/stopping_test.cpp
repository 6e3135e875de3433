#include "difyd/database/lease.hpp"
#include "difyd/database/server.hpp"
#include "fixture.hpp"

using namespace difyd;
using namespace difyd::database;

namespace {

void control(const std::string& arguments) {
  const std::string command = from_environment("PGTEST_CTL") + " " + arguments + " >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("pg_ctl " + arguments + " failed");
}

}  // namespace

TEST_CASE("a server that stops, is away and comes back") {
  asio::io_context loop;
  server s(loop.get_executor(), as());
  lease claim(loop.get_executor(), as(), "dify", "difyd", {"m", "b", "h"});
  REQUIRE(eventually([&] {
    const auto taken = run_task(loop, claim.acquire());
    return taken && taken->held;
  }));
  // A smart shutdown waits for sessions and refuses new ones.
  auto holding = connected(as(), "dify");
  control("stop -m smart -W");
  Error error;
  CHECK(eventually([&] {
    auto opened = open_session(as(), "dify");
    if (!opened) error = opened.error();
    return !opened;
  }));
  CHECK(error.code == "database-starting");
  CHECK(error.message.ends_with("the database system is shutting down"));

  control("stop -m fast -w");
  CHECK(run_task(loop, claim.renew("1.11.4", true)).error().code == "lease-lost");
  CHECK(run_task(loop, s.facts("dify")).error().code == "database-refused");
  CHECK(holding->query("select 1", {}, "ask").error().code == "database-unreachable");

  control("start -w -t 30 -l " + from_environment("PGTEST_FOLDER") + "/log");
  CHECK(run_task(loop, s.facts("dify")));
  const auto again = run_task(loop, claim.acquire());
  REQUIRE(again);
  CHECK(again->held);
}
