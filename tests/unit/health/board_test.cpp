#include "difyd/health/board.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000h;
const damping twice{2, 2};

finding redis(severity level, const char* code) { return {"redis", code, level, "", "", false, {}}; }
const finding well = redis(severity::ok, "redis-ok"), away = redis(severity::error, "redis-away");

// What is shown of the subject after each look.
struct shown {
  const char* code;
  severity level;
};

}  // namespace

TEST_CASE("a subject turns after so many looks in a row, and not before") {
  struct look {
    finding seen;
    shown then;
  };
  const look looks[] = {
      {well, {"redis-ok", severity::ok}},      {away, {"redis-away", severity::warning}},
      {well, {"redis-ok", severity::ok}},      {away, {"redis-away", severity::warning}},
      {away, {"redis-away", severity::error}}, {well, {"redis-away", severity::error}},
      {away, {"redis-away", severity::error}}, {well, {"redis-away", severity::error}},
      {well, {"redis-ok", severity::ok}},
  };
  damper one;
  int i = 0;
  for (const auto& each : looks) {
    INFO("look " << ++i);
    const auto now = one.take({each.seen}, twice);
    REQUIRE(now.size() == 1);
    CHECK(now[0].code == each.then.code);
    CHECK(now[0].level == each.then.level);
  }
  CHECK_FALSE(one.unsettled());
}

TEST_CASE("what fails at the first look of all is a warning until it fails again") {
  damper one;
  CHECK(one.take({away}, twice)[0].level == severity::warning);
  CHECK(one.unsettled());
  CHECK(one.take({away}, twice)[0].level == severity::error);
  CHECK_FALSE(one.unsettled());
}

TEST_CASE("another error of a bad subject is shown at once; a subject that is gone is forgotten") {
  damper one;
  one.take({away}, {1, 2});
  CHECK(one.take({redis(severity::error, "redis-auth")}, twice)[0].code == "redis-auth");
  CHECK(one.take({}, twice).empty());
  CHECK(one.take({away}, twice)[0].level == severity::warning);
}

TEST_CASE("findings of one subject turn together") {
  const finding mount{"storage", "mount-present", severity::ok, "", "", false, {}};
  const finding hung{"storage", "storage-hung", severity::critical, "", "", false, {}};
  damper one;
  one.take({mount, hung}, {1, 2});
  const auto now = one.take({mount}, twice);
  REQUIRE(now.size() == 2);
  CHECK(now[1].code == "storage-hung");
}

TEST_CASE("the time of an error is counted from the first look that saw it") {
  board all({"engine", "redis"});
  all.put("redis", {well}, twice, start);
  all.put("redis", {away}, twice, start + 10s);
  all.put("redis", {away}, twice, start + 20s);
  all.put("redis", {well}, twice, start + 30s);
  REQUIRE(all.all().size() == 1);
  CHECK(all.all()[0].level == severity::error);
  CHECK(all.all()[0].since == start + 10s);
  CHECK(all.unsettled("redis"));
  all.put("redis", {well}, twice, start + 40s);
  CHECK(all.all()[0].since == start + 40s);
}

TEST_CASE("the board keeps its order, and a probe takes nothing from another") {
  board all({"engine", "redis"});
  all.put("other", {redis(severity::ok, "c")}, {1, 1}, start);
  all.put("redis", {redis(severity::ok, "b")}, {1, 1}, start);
  all.put("engine", {redis(severity::ok, "a")}, {1, 1}, start);
  all.put("redis", {}, {1, 1}, start);
  REQUIRE(all.all().size() == 2);
  CHECK(all.all()[0].code == "a");
  CHECK(all.all()[1].code == "c");
}
