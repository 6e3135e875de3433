#include "../../../daemon/stack/installed_compose.hpp"

#include "catch.hpp"
#include "difyd/stack/observed.hpp"

using namespace difyd::stack;

TEST_CASE("the version of the machine's docker compose is three numbers, whatever else it says") {
  CHECK(version_in("2.26.1-4\n") == "2.26.1");
  CHECK(version_in("v2.40.3\n") == "2.40.3");
  CHECK(version_in("2.29.0-desktop.1") == "2.29.0");
  CHECK(version_in("docker-compose version 1.29.2").empty());
  CHECK(version_in("").empty());
}

TEST_CASE(
    "containers say what they are written like; where there are none, the machine's docker compose does") {
  observed o;
  CHECK(dialect_in_use(o) == dialect{});
  o.installed_compose = "2.26.1";
  CHECK(dialect_in_use(o).version == "2.26.1");
  observed_container c;
  c.labels["com.docker.compose.version"] = "2.40.3";
  o.containers.push_back(c);
  CHECK(dialect_in_use(o).version == "2.40.3");
}
