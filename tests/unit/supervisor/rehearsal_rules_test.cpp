#include "../../../daemon/supervisor/rehearsal_rules.hpp"

#include "catch.hpp"

namespace difyd::supervisor {
namespace {

database::endpoint scratch() {
  database::endpoint where;
  where.host = "10.1.0.9";
  where.user = "rehearsal";
  where.password = "pw";
  where.keys = "rehearsal";
  return where;
}

database::server_facts good_server() {
  database::server_facts facts;
  facts.version_number = 170004;
  facts.version = "17.4";
  facts.create_database = true;
  return facts;
}

std::string cause(const Result<>& result) {
  constexpr std::string_view head = "cannot rehearse on the server 10.1.0.9:5432: ";
  if (result) return "";
  CHECK_FALSE(result.error().remedy.empty());
  CHECK(result.error().message.starts_with(head));
  return result.error().message.substr(head.size());
}

}  // namespace

TEST_CASE("a dump says of which PostgreSQL it is and what it needs") {
  const auto found = read_dump_facts(
      "dify.dump was made on PostgreSQL 17.4 (Debian 17.4-1)\ndify.dump needs extension uuid-ossp\n"
      "dify.dump needs extension vector\n");
  REQUIRE(found);
  CHECK(*found == dump_facts{"17.4 (Debian 17.4-1)", {"uuid-ossp", "vector"}});
  REQUIRE_FALSE(read_dump_facts("dify.dump needs extension vector\n"));
}

TEST_CASE("a server that cannot hold a copy is told apart before anything is made there") {
  CHECK(may_copy_to(scratch(), good_server()));
  auto server = good_server();
  server.create_database = false;
  CHECK(cause(may_copy_to(scratch(), server)) == "role rehearsal may not create databases");
  server.read_only = true;
  CHECK(cause(may_copy_to(scratch(), server)) == "it takes no writes");
  server.pooled = true;
  CHECK(cause(may_copy_to(scratch(), server)) == "it is a connection pooler");
  CHECK(may_copy_to(scratch(), server).error().remedy ==
        "Give rehearsal.host and rehearsal.port of PostgreSQL itself");

  const std::vector<std::string> available = {"plpgsql", "vector"};
  for (const auto* fits : {"17.9", "17.4 (Debian 17.4-1)", "16.1", "9.6.24"})
    CHECK(may_load(scratch(), good_server(), available, {fits, {"vector"}}));
  CHECK(cause(may_load(scratch(), good_server(), available, {"18.0", {}})) ==
        "it is PostgreSQL 17.4, and the backup is of 18.0");
  CHECK(cause(may_load(scratch(), good_server(), available, {"17.4", {"vector", "uuid-ossp"}})) ==
        "it does not have the extension uuid-ossp, which the backup needs");
}

TEST_CASE("the migrator goes to the server that is named, whatever the release says of its own") {
  stack::job_spec migrator;
  migrator.environment = {{"DB_EXTRAS", "sslmode=verify-full&sslrootcert=/ca&options=-c%20x"},
                          {"MIGRATION_ENABLED", "false"}};
  point_at(migrator, scratch(), "require");
  CHECK(migrator.environment == compose::environment_map{{"DB_EXTRAS", "options=-c%20x"},
                                                         {"DB_HOST", "10.1.0.9"},
                                                         {"DB_PASSWORD", "pw"},
                                                         {"DB_PORT", "5432"},
                                                         {"DB_SSL_MODE", "require"},
                                                         {"DB_USERNAME", "rehearsal"},
                                                         {"MIGRATION_ENABLED", "false"},
                                                         {"PGSSLMODE", "require"}});
}

}  // namespace difyd::supervisor
