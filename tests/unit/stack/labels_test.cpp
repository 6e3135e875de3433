#include "difyd/stack/labels.hpp"

#include "catch.hpp"
#include "difyd/stack/watch.hpp"

using namespace difyd;
using namespace difyd::stack;

TEST_CASE("temporary names give their final name back, others give none") {
  CHECK(temporary_name("0123456789abcdef", "p-api-1") == "0123456789ab_p-api-1");
  CHECK(final_name("0123456789ab_p-api-1") == "p-api-1");
  CHECK(final_name("p-api-1").empty());
  CHECK(final_name("0123456789xy_p-api-1").empty());
  CHECK(final_name("0123456789ab_").empty());
}

TEST_CASE("the depends_on label names active services only, and is read back") {
  compose::project p;
  auto& api = p.services["api"];
  api.depends_on["redis"] = {"service_started", false, true};
  api.depends_on["db"] = {"service_healthy", true, false};
  api.depends_on["absent"] = {"service_healthy", false, false};
  p.services["redis"];
  p.services["db"];
  const auto text = depends_on_label(p, api);
  CHECK(text == "db:service_healthy:true,redis:service_started:false");
  const auto back = parse_depends_on(text);
  REQUIRE(back.size() == 2);
  CHECK(back.at("db").restart);
  CHECK(back.at("redis").condition == "service_started");
  CHECK(parse_depends_on("").empty());
}

TEST_CASE("events of containers that matter") {
  engine::event e;
  e.type = "container";
  e.action = "health_status: unhealthy";
  e.id = "1";
  e.attributes = {{"name", "p-a-1"}, {label::service, "a"}, {label::one_off, "False"}};
  auto event = container_event_of(e);
  REQUIRE(event);
  CHECK(event->action == "health_status");
  CHECK(event->health == "unhealthy");
  CHECK(event->service == "a");
  e.action = "die";
  e.attributes["exitCode"] = "137";
  CHECK(container_event_of(e)->exit_code == 137);
  e.action = "exec_start: true";
  CHECK_FALSE(container_event_of(e));
  e.type = "network";
  e.action = "create";
  CHECK_FALSE(container_event_of(e));
}
