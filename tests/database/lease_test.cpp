#include "difyd/database/lease.hpp"

#include "difyd/database/server.hpp"
#include "fixture.hpp"

using namespace difyd;
using namespace difyd::database;

namespace {

struct machine {
  asio::io_context loop;
  lease claim;
  explicit machine(const std::string& id, endpoint where = as(), const std::string& main = "dify",
                   inheritance rules = {})
      : claim(loop.get_executor(), std::move(where), main, "difyd", {id, "boot-" + id, "host-" + id}, rules) {
  }

  lease_state acquire() {
    auto got = run_task(loop, claim.acquire());
    if (!got) FAIL(sentence(got.error()));
    return *got;
  }
};

void end_lease_sessions() {
  auto admin = connected(as_admin(), "postgres");
  run_sql(*admin, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
}

std::string locks() {
  auto admin = connected(as_admin(), "postgres");
  return run_sql(*admin, "select count(*) from pg_locks where locktype = 'advisory'").at(0).at(0).value();
}

}  // namespace

TEST_CASE("the lease is taken once, renewed, and given back") {
  {
    machine a("a");
    CHECK(a.acquire().held);
    CHECK(a.claim.held());
    CHECK(a.claim.place() == "database difyd");
    CHECK(a.acquire().held);
    CHECK(locks() == "1");
    REQUIRE(run_task(a.loop, a.claim.check()));
    REQUIRE(run_task(a.loop, a.claim.renew("1.11.4", true)));

    machine b("b");
    const auto seen = b.acquire();
    CHECK_FALSE(seen.held);
    REQUIRE(seen.other);
    CHECK(seen.other->machine_id == "a");
    CHECK(seen.other->hostname == "host-a");
    CHECK(seen.other->client_address == "127.0.0.1");
    CHECK(seen.other->version == "1.11.4");
    CHECK(seen.other->stack_up);
    CHECK(seen.other->renewed_at.size() == 24);
    CHECK(seen.other->seconds_since_renewal >= 0);
    CHECK(seen.other->seconds_since_renewal < 20);
    CHECK(run_task(b.loop, b.claim.check()).error().code == "lease-lost");

    REQUIRE(run_task(a.loop, a.claim.release(false)));
    CHECK_FALSE(a.claim.held());
    const auto taken = b.acquire();
    CHECK(taken.held);
    REQUIRE(taken.other);
    CHECK(taken.other->machine_id == "a");
    CHECK_FALSE(taken.other->stack_up);
  }
  // The process that held it is gone: so is its lock.
  CHECK(eventually([] { return locks() == "0"; }));
}

TEST_CASE("a lease whose session ended is lost and does not come back by itself") {
  machine a("a");
  REQUIRE(a.acquire().held);
  REQUIRE(run_task(a.loop, a.claim.renew("1.11.4", true)));
  end_lease_sessions();
  const auto lost = run_task(a.loop, a.claim.check());
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == "lease-lost");
  CHECK_FALSE(a.claim.held());
  CHECK(run_task(a.loop, a.claim.renew("1.11.4", true)).error().code == "lease-lost");
  CHECK(eventually([] { return locks() == "0"; }));
  const auto again = a.acquire();
  CHECK(again.held);
  CHECK_FALSE(again.other);

  // While it was away another machine may have taken it.
  end_lease_sessions();
  machine b("b", as(), "dify", {duration(0), duration(0)});
  CHECK(eventually([&] { return b.acquire().held; }));
  CHECK(run_task(a.loop, a.claim.renew("1.11.4", true)).error().code == "lease-lost");
  CHECK_FALSE(a.acquire().held);
}

TEST_CASE("databases belong to one storage") {
  {
    machine a("a");
    REQUIRE(eventually([] { return locks() == "0"; }));
    REQUIRE(run_task(a.loop, a.claim.acquire(""))->held);  // of neither is known anything
    REQUIRE(run_task(a.loop, a.claim.belong_to("one")));
    REQUIRE(run_task(a.loop, a.claim.release(false)));
  }
  machine b("b");
  for (const char* storage : {"", "two"}) {
    const auto refused = run_task(b.loop, b.claim.acquire(storage));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "share-foreign");
    CHECK(refused.error().message.find("do not belong together") != std::string::npos);
    CHECK(eventually([] { return locks() == "0"; }));
  }
  REQUIRE(run_task(b.loop, b.claim.acquire("one"))->held);
  // Who holds it is told all the same.
  machine c("c");
  const auto waits = run_task(c.loop, c.claim.acquire("two"));
  REQUIRE(waits);
  CHECK(waits->other->share == "one");
  REQUIRE(run_task(b.loop, b.claim.release(false)));
  auto admin = connected(as_admin(), "difyd");
  run_sql(*admin, "alter table difyd.lease drop column share");  // of an older difyd
  REQUIRE(run_task(c.loop, c.claim.acquire("two"))->held);
  CHECK(run_sql(*admin, "select share from difyd.lease").at(0).at(0).value() == "two");
  run_sql(*admin, "update difyd.lease set share = ''");
}

TEST_CASE("a lock that was released behind its back is noticed") {
  machine a("a");
  REQUIRE(eventually([&] { return a.acquire().held; }));
  // Another session with the lock of the same key in another database is not ours.
  auto other = connected(as(), "dify");
  run_sql(*other, "select pg_advisory_lock(" + std::to_string(lease::key()) + ")");
  CHECK(run_task(a.loop, a.claim.check()));
  machine b("b");
  CHECK_FALSE(b.acquire().held);
}

TEST_CASE("a role that may not create databases keeps the lease in a schema") {
  auto admin = connected(as_admin(), "postgres");
  run_sql(*admin, "revoke connect on database difyd from public");
  machine refused("r", as("plain", "plain"), "plain_main");
  CHECK(run_task(refused.loop, refused.claim.acquire()).error().code == "database-permission");
  CHECK(eventually(
      [&] { return admin->query("drop database if exists difyd with (force)", {}, "drop").has_value(); }));
  machine p("p", as("plain", "plain"), "plain_main");
  REQUIRE(p.acquire().held);
  CHECK(p.claim.place() == "schema difyd in plain_main");
  machine q("q", as("plain", "plain"), "plain_main");
  const auto seen = q.acquire();
  CHECK_FALSE(seen.held);
  CHECK(seen.other->machine_id == "p");
}

TEST_CASE("without a server the lease is neither taken nor lost by a throw") {
  endpoint nobody = as();
  nobody.port = 1;
  machine a("a", nobody);
  const auto none = run_task(a.loop, a.claim.acquire());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == "database-refused");
  CHECK_FALSE(a.claim.held());
  CHECK(run_task(a.loop, a.claim.release(false)));
}

TEST_CASE("a stack that may still run keeps a free lease from being inherited") {
  auto api = as();
  api.application_name = "dify-1.11.4-api";
  auto session = connected(api, "dify");
  {
    machine gone("gone");
    REQUIRE(eventually([&] { return gone.acquire().held; }));
    REQUIRE(run_task(gone.loop, gone.claim.renew("1.11.4", true)));
  }
  machine b("b", as(), "dify", {std::chrono::seconds(1), std::chrono::milliseconds(300)});
  lease_state seen;
  REQUIRE(eventually([&] {
    seen = b.acquire();
    return !seen.held && seen.free && seen.other->seconds_since_renewal > 2;
  }));
  CHECK(seen.other->machine_id == "gone");
  CHECK(seen.other->stack_up);
  CHECK(eventually([] { return locks() == "0"; }));
  session.reset();
  CHECK(eventually([&] { return b.acquire().held; }));
  // Its own machine needs no rules, and neither does anybody once the stack is down.
  REQUIRE(run_task(b.loop, b.claim.release(true)));
  machine again("b");
  CHECK(again.acquire().held);
  REQUIRE(run_task(again.loop, again.claim.release(false)));
  machine c("c");
  CHECK(c.acquire().held);
  REQUIRE(run_task(c.loop, c.claim.release(false)));
}

TEST_CASE("for a while after a renewal nobody can have inherited the lease") {
  machine a("a", as(), "dify", {std::chrono::seconds(6), std::chrono::seconds(1)});
  REQUIRE(eventually([&] { return a.acquire().held; }));
  CHECK_FALSE(a.claim.fresh());
  REQUIRE(run_task(a.loop, a.claim.renew("1.11.4", true)));
  CHECK(a.claim.fresh());
  end_lease_sessions();
  CHECK(eventually([&] { return !a.claim.fresh(); }));
  CHECK(eventually([&] { return a.acquire().held; }));
  // Who says that nothing runs is inherited at once.
  REQUIRE(run_task(a.loop, a.claim.renew("1.11.4", true)));
  REQUIRE(run_task(a.loop, a.claim.renew("1.11.4", false)));
  CHECK_FALSE(a.claim.fresh());
}

TEST_CASE("a pooler is no place for a lease") {
  endpoint pooler = as("plain", "plain");
  const auto port = from_environment("PGTEST_POOLER_PORT");
  if (port.empty()) {
    WARN("skipped: pgbouncer is not installed");
    return;
  }
  pooler.port = std::atoi(port.c_str());
  pooler.sslmode = "disable";
  machine m("m", pooler, "plain_main");
  const auto refused = run_task(m.loop, m.claim.acquire());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "database-pooler");
  CHECK(refused.error().remedy.find("PostgreSQL itself") != std::string::npos);
  server s(m.loop.get_executor(), pooler);
  CHECK(got(run_task(m.loop, s.facts("plain_main"))).pooled);
}

TEST_CASE("this machine") {
  const auto self = this_machine();
  CHECK_FALSE(self.boot_id.empty());
  CHECK_FALSE(self.hostname.empty());
}
