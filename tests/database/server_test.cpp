#include "difyd/database/server.hpp"

#include <signal.h>

#include <algorithm>

#include "difyd/base/task_group.hpp"
#include "fixture.hpp"

using namespace difyd;
using namespace difyd::database;

namespace {

Error refused(endpoint where, const std::string& database) {
  asio::io_context loop;
  server s(loop.get_executor(), std::move(where));
  const auto facts = run_task(loop, s.facts(database));
  REQUIRE_FALSE(facts);
  return facts.error();
}

struct with_server {
  asio::io_context loop;
  server s;
  explicit with_server(endpoint where = as()) : s(loop.get_executor(), std::move(where)) {}
};

}  // namespace

TEST_CASE("facts about the server and its databases") {
  with_server w;
  const auto facts = run_task(w.loop, w.s.facts("dify"));
  if (!facts) FAIL(sentence(facts.error()));
  CHECK(facts->version_number >= 130000);
  CHECK(facts->tls);
  CHECK(facts->tls_version.starts_with("TLSv1."));
  CHECK_FALSE(facts->read_only);
  CHECK_FALSE(facts->superuser);
  CHECK(facts->create_database);
  CHECK_FALSE(facts->pooled);
  CHECK(std::ranges::count(got(run_task(w.loop, w.s.extensions("dify"))), "plpgsql") == 1);
  CHECK(facts->connections_max == 12);
  CHECK(facts->connections_used >= 1);
  CHECK(std::ranges::count(facts->databases, "dify_plugin") == 1);

  const auto inside = run_task(w.loop, w.s.facts_of("dify_plugin"));
  REQUIRE(inside);
  CHECK(inside->empty);
  CHECK(inside->bytes > 0);
  CHECK(inside->may_create);
  CHECK(inside->vector_version.empty());
}

TEST_CASE("errors of connecting are classified, with a remedy and without the password") {
  struct row {
    endpoint where;
    std::string database, code, cause;
  };
  endpoint nobody = as();
  nobody.port = 1;
  endpoint unresolvable = as();
  unresolvable.host = "no-such-host.invalid";
  endpoint no_socket = as();
  no_socket.host = "/nonexistent";
  endpoint verify = as();
  verify.sslmode = "verify-ca";
  verify.ca_file = "/etc/hostname";
  endpoint wrong_name = as();
  wrong_name.sslmode = "verify-full";
  wrong_name.host = "127.0.0.2";
  wrong_name.ca_file = from_environment("PGTEST_FOLDER") + "/ca.pem";
  const row rows[] = {
      {nobody, "dify", "database-refused", "onnection refused"},
      {unresolvable, "dify", "database-name-unknown", "cannot resolve no-such-host.invalid"},
      {no_socket, "dify", "database-refused", "No such file or directory"},
      {as("dify", "wrong secret"), "dify", "database-auth",
       "password authentication failed for user \"dify\""},
      {as("ghost", "x"), "dify", "database-auth", "password authentication failed"},
      {as("sleeper", "x"), "dify", "database-auth", "not permitted to log in"},
      {as("outsider", "x"), "dify", "database-auth", "pg_hba.conf rejects connection"},
      {as(), "missing", "database-missing", "database \"missing\" does not exist"},
      {as("plain", "plain"), "closed", "database-permission", "permission denied for database"},
      {verify, "dify", "database-tls", "certificate"},
  };
  for (const auto& each : rows) {
    const Error error = refused(each.where, each.database);
    CAPTURE(error.message, error.remedy, error.code);
    CHECK(error.code == each.code);
    CHECK(error.message.starts_with("cannot "));
    CHECK(error.message.find(each.cause) != std::string::npos);
    CHECK_FALSE(error.remedy.empty());
    CHECK(sentence(error).find("geheim") == std::string::npos);
    CHECK(sentence(error).find("wrong secret") == std::string::npos);
  }
}

TEST_CASE("the SQLSTATE of a refused connection is known in whatever language the server speaks") {
  CHECK(refusal_sqlstate(as("dify", "wrong secret"), "dify") == "28P01");
  CHECK(refusal_sqlstate(as(), "missing") == "3D000");
  CHECK(refusal_sqlstate(as("plain", "plain"), "closed") == "42501");
  CHECK(refusal_sqlstate(as("sleeper", "x"), "dify") == "28000");
  CHECK(refusal_sqlstate(as(), "dify").empty());
  endpoint nobody = as();
  nobody.port = 1;
  CHECK(refusal_sqlstate(nobody, "dify").empty());
}

TEST_CASE("verify-full accepts the server's own certificate") {
  endpoint where = as();
  where.sslmode = "verify-full";
  where.host = "localhost";
  where.ca_file = from_environment("PGTEST_FOLDER") + "/ca.pem";
  with_server w(where);
  const auto facts = run_task(w.loop, w.s.facts("dify"));
  if (!facts) FAIL(sentence(facts.error()));
  CHECK(facts->tls);
}

TEST_CASE("too many connections are told apart") {
  std::vector<std::unique_ptr<session>> all;
  Error error;
  for (int i = 0; i < 16 && error.code.empty(); ++i) {
    auto opened = open_session(as(), "dify");
    if (opened)
      all.push_back(std::move(*opened));
    else
      error = opened.error();
  }
  CHECK(error.code == "database-too-many-connections");
  all.clear();
  CHECK(eventually([] { return open_session(as(), "dify").has_value(); }));
}

TEST_CASE("what a role may not do is named") {
  with_server w(as("plain", "plain"));
  const auto refused_create = run_task(w.loop, w.s.create_database("plain_main", "x"));
  REQUIRE_FALSE(refused_create);
  CHECK(refused_create.error().code == "database-permission");
  CHECK(refused_create.error().message == "cannot create database x: permission denied to create database");
  const auto facts = run_task(w.loop, w.s.facts("plain_main"));
  REQUIRE(facts);
  CHECK_FALSE(facts->create_database);
}

TEST_CASE("databases change names all or none, whoever is connected to them, and are dropped") {
  with_server w;
  for (const auto* name : {"swap_a", "swap_b"}) REQUIRE(run_task(w.loop, w.s.create_database("dify", name)));
  const auto other = connected(as(), "swap_a");
  REQUIRE(run_task(w.loop, w.s.facts_of("swap_b")));
  const auto names = [&] {
    std::string all;
    for (const auto& each : got(run_task(w.loop, w.s.databases("dify"))))
      if (each.name.starts_with("swap") || each.name == "plain_main")
        all += each.name + (each.owned && each.bytes > 0 ? " " : "(not owned) ");
    return all;
  };
  CHECK(names() == "plain_main(not owned) swap_a swap_b ");
  CHECK(run_task(w.loop, w.s.rename_databases("dify", {{"swap_a", "swap_old"}, {"swap_b", "swap_a"}})));
  CHECK(names() == "plain_main(not owned) swap_a swap_old ");
  CHECK_FALSE(run_task(w.loop, w.s.rename_databases("dify", {{"swap_a", "swap_c"}, {"missing", "swap_a"}})));
  CHECK(names() == "plain_main(not owned) swap_a swap_old ");
  const auto again = connected(as(), "swap_a");
  for (const auto* name : {"swap_a", "swap_old", "swap_old"})
    CHECK(run_task(w.loop, w.s.drop_database("dify", name)));
  CHECK(names() == "plain_main(not owned) ");
}

TEST_CASE("locks that keep others away are told, without waiting for them") {
  with_server w;
  auto own = connected(as(), "dify");
  run_sql(*own, "drop table if exists lock_a, lock_b");
  run_sql(*own, "create table lock_a (id int)");
  run_sql(*own, "create table lock_b (id int)");
  auto locking = as();
  locking.application_name = "locks-things";
  auto other = connected(locking, "dify");
  run_sql(*other, "begin");
  run_sql(*other, "insert into lock_b values (1)");
  CHECK(got(run_task(w.loop, w.s.locks("dify", "locks-things"))).empty());
  run_sql(*other, "lock table lock_a in access exclusive mode");
  run_sql(*other, "create index on lock_b (id)");
  run_sql(*other, "create table lock_c (id int)");
  const std::vector<table_lock> expected = {{"lock_a", "AccessExclusiveLock"}, {"lock_b", "ShareLock"}};
  CHECK(got(run_task(w.loop, w.s.locks("dify", "locks-things"))) == expected);
  CHECK(got(run_task(w.loop, w.s.locks("dify", "another"))).empty());
  run_sql(*other, "rollback");
  CHECK(got(run_task(w.loop, w.s.locks("dify", "locks-things"))).empty());
  run_sql(*own, "drop table lock_a, lock_b");
}

TEST_CASE("alembic revisions") {
  with_server w;
  auto own = connected(as(), "dify");
  run_sql(*own, "drop table if exists alembic_version");
  CHECK(got(run_task(w.loop, w.s.alembic_revision("dify"))).empty());
  const auto before = got(run_task(w.loop, w.s.catalog_fingerprint("dify")));
  run_sql(*own, "create table alembic_version (version_num varchar(32) primary key)");
  CHECK(got(run_task(w.loop, w.s.alembic_revision("dify"))).empty());
  const auto after = got(run_task(w.loop, w.s.catalog_fingerprint("dify")));
  CHECK(before != after);
  run_sql(*own, "insert into alembic_version values ('905527cc8fd3')");
  CHECK(got(run_task(w.loop, w.s.alembic_revision("dify"))).id == "905527cc8fd3");
  CHECK(got(run_task(w.loop, w.s.catalog_fingerprint("dify"))) == after);
  CHECK(got(run_task(w.loop, w.s.facts_of("dify"))).tables == 1);
  run_sql(*own, "insert into alembic_version values ('a91b476a53de')");
  CHECK(run_task(w.loop, w.s.alembic_revision("dify")).error().code == "revision-ambiguous");
  run_sql(*own, "alter table alembic_version owner to dify; revoke all on alembic_version from public");
  with_server other(as("reader", "reader"));
  CHECK(run_task(other.loop, other.s.alembic_revision("dify")).error().code == "database-permission");
  run_sql(*own, "drop table alembic_version");
}

TEST_CASE("sessions are listed, blockers named, sessions ended") {
  with_server w;
  endpoint api = as();
  api.application_name = "dify-1.11.4-api";
  endpoint migrator = as();
  migrator.application_name = "difyd-migrate-1";
  migrator.call_limit = std::chrono::seconds(60);
  auto first = connected(api, "dify");
  auto second = connected(migrator, "dify");
  auto elsewhere = connected(as("plain", "plain"), "plain_main");
  run_sql(*first, "create table if not exists held (x int)");
  run_sql(*first, "begin");
  run_sql(*first, "lock table held in access exclusive mode");

  // The server's own connections, on both databases, are not in the list.
  REQUIRE(run_task(w.loop, w.s.facts("dify_plugin")));
  std::vector<session_info> sessions;
  CHECK(eventually([&] {
    sessions = got(run_task(w.loop, w.s.sessions("dify", {"dify", "dify_plugin"}, {"dify"})));
    std::vector<std::string> names;
    for (const auto& each : sessions) names.push_back(each.application_name);
    std::ranges::sort(names);
    return names == std::vector<std::string>{"dify-1.11.4-api", "difyd-migrate-1"};
  }));
  const auto& one = *std::ranges::find(sessions, "dify-1.11.4-api", &session_info::application_name);
  CHECK(one.pid == first->backend_pid());
  CHECK(one.user == "dify");
  CHECK(one.client_address == "127.0.0.1");
  CHECK(one.state == "idle in transaction");

  std::thread waiting([&] { (void)second->query("select * from held", {}, "wait"); });
  std::vector<blocker> blockers;
  CHECK(eventually([&] {
    blockers = got(run_task(w.loop, w.s.blockers("dify", "difyd-migrate-1")));
    return !blockers.empty();
  }));
  if (!blockers.empty()) {
    CHECK(blockers[0].pid == second->backend_pid());
    CHECK(blockers[0].blocked_by == first->backend_pid());
    CHECK(blockers[0].application_name == "dify-1.11.4-api");
    CHECK(blockers[0].relation == "held");
    CHECK(blockers[0].state == "idle in transaction");
    CHECK(blockers[0].statement == "lock table held in access exclusive mode");
  }
  CHECK(got(run_task(w.loop, w.s.terminate("dify", first->backend_pid()))));
  waiting.join();
  CHECK(eventually([&] { return got(run_task(w.loop, w.s.sessions("dify", {"dify"}, {}))).size() == 1; }));
  CHECK_FALSE(got(run_task(w.loop, w.s.terminate("dify", first->backend_pid()))));
  const auto gone = first->query("select 1", {}, "ask");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == "database-unreachable");
  CHECK_FALSE(first->alive());
  run_sql(*second, "drop table held");
}

TEST_CASE("a broken connection is replaced, a frozen server costs only its deadline") {
  endpoint where = as();
  where.connect_limit = std::chrono::seconds(2);
  where.call_limit = std::chrono::seconds(2);
  with_server w(where);
  REQUIRE(run_task(w.loop, w.s.facts("dify")));
  auto admin = connected(as_admin(), "postgres");
  const auto pid =
      run_sql(*admin, "select pid from pg_stat_activity where usename = 'dify'").at(0).at(0).value();
  run_sql(*admin, "select pg_terminate_backend(" + pid + ")");
  CHECK(run_task(w.loop, w.s.facts("dify")));

  const int frozen = std::atoi(
      run_sql(*admin, "select pid from pg_stat_activity where usename = 'dify'").at(0).at(0)->c_str());
  REQUIRE(::kill(frozen, SIGSTOP) == 0);
  const auto began = std::chrono::steady_clock::now();
  const auto none = run_task(w.loop, w.s.facts("dify"));
  const auto took = std::chrono::steady_clock::now() - began;
  REQUIRE_FALSE(none);
  CHECK(none.error().code == "deadline-exceeded");
  CHECK(took < std::chrono::seconds(15));
  ::kill(frozen, SIGCONT);
  // The lane is free again although the library never gave up by itself.
  Result<server_facts> again = fail("", "");
  CHECK(eventually([&] {
    again = run_task(w.loop, w.s.facts("dify"));
    return again.has_value();
  }));
}

TEST_CASE("calls that are made at once queue") {
  with_server w;
  std::vector<task<Result<revision>>> all;
  for (int i = 0; i < 10; ++i) all.push_back(w.s.alembic_revision(i % 2 == 0 ? "dify" : "dify_plugin"));
  for (const auto& each : run_task(w.loop, when_all(std::move(all)))) CHECK(each.has_value());
  run_task(w.loop, [](server& s) -> task<int> {
    co_await s.close();
    co_return 0;
  }(w.s));
  CHECK(run_task(w.loop, w.s.facts("dify")));
}
