// The PostgreSQL probe against the server that tests/database/with-postgresql starts.
#include <cstdlib>

#include "../database/test_server.hpp"
#include "catch.hpp"
#include "difyd/base/text.hpp"
#include "difyd/health/probes.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::health;

namespace {

database_target target() {
  database_target result;
  result.where = database::as();
  result.name = "dify";
  result.has_revision = true;
  return result;
}

void sql(const std::string& statements) {
  const auto command = "psql -q -h " + database::from_environment("PGTEST_FOLDER") + " -p " +
                       database::from_environment("PGTEST_PORT") +
                       " -U admin -d dify -v ON_ERROR_STOP=1 -c \"" + statements + "\"";
  REQUIRE(std::system(command.c_str()) == 0);
}

findings probed(database_target with) { return run_task(probe_database(std::move(with))); }

}  // namespace

TEST_CASE("a database that is well says where and how it is reached") {
  const auto found = probed(target());
  REQUIRE(found.size() == 1);
  INFO(found[0].detail);
  CHECK(found[0].code == "database-ok");
  CHECK(found[0].detail.find("TLSv1") != std::string::npos);
}

TEST_CASE("each way to fail has its code and a remedy, and never the password") {
  auto wrong = target();
  wrong.where.password = "falsch";
  auto missing = target();
  missing.name = "not_there";
  auto away = target();
  away.where.port = 1;
  struct failing {
    database_target with;
    const char* code;
  };
  for (const auto& each : {failing{wrong, "database-auth"}, failing{missing, "database-missing"},
                           failing{away, "database-refused"}}) {
    const auto found = probed(each.with);
    REQUIRE(found.size() == 1);
    INFO(found[0].detail);
    CHECK(found[0].code == each.code);
    CHECK(found[0].level == severity::error);
    CHECK_FALSE(found[0].remedy.empty());
    CHECK(found[0].detail.find("falsch") == std::string::npos);
  }
}

TEST_CASE("a revision that cannot be read is not called another one") {
  auto with = target();
  with.expected_revision = "905527cc8fd3";
  sql("create table alembic_version (version_num text); insert into alembic_version values ('905527cc8fd3')");
  const auto unread = probed(with)[0];
  CHECK(unread.code == "revision-unknown");
  CHECK(unread.level == severity::warning);
  CHECK(unread.detail.find("permission") != std::string::npos);
  sql("grant select on alembic_version to dify");
  CHECK(probed(with)[0].code == "database-ok");
  sql("insert into alembic_version values ('a91b476a53de')");
  const auto several = probed(with)[0];
  CHECK(several.code == "revision-ambiguous");
  CHECK(several.level == severity::error);
  sql("drop table alembic_version");
  CHECK(probed(with)[0].code == "revision-differs");
}

TEST_CASE("plugin database and extension are looked for") {
  auto with = target();
  with.plugin = "no_such_plugin_database";
  with.needs_vector = true;
  const auto found = probed(with);
  REQUIRE(found.size() == 3);
  CHECK(found[1].subject == "database.plugin");
  CHECK(found[1].code.starts_with("plugin-database-"));
  CHECK(found[2].subject == "database.vector");
  CHECK(found[2].code.starts_with("vector-"));
}
