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
