#include "difyd/health/judge.hpp"

#include <functional>

#include "catch.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

const wall_time now = wall_time{} + 20000h;

struct world {
  std::vector<finding> findings;
  situation now_is{.current = phase::serving, .phase_since = now - 1h};
  policy rules;
  memory past{.known = true, .machine = "this", .asked = {}};

  judgement judged() const { return judge(findings, now_is, rules, now, past); }
};

finding boot_disk(std::chrono::seconds age) {
  return {"disk.boot", "boot-disk-full", severity::critical, "full", "free it", true, now - age};
}

finding database_away() {
  return {"database.main", "refused", severity::error, "refused", "start it", false, now - 10min};
}

void migrate(world& w) {
  w.now_is.current = phase::upgrading;
  w.now_is.migrator_session = true;
}
void asked_elsewhere(world& w) {
  w.findings.push_back(boot_disk(10min));
  w.past.asked.push_back({"disk.boot/boot-disk-full", "the one before", now - 2h});
}
void broken_here(world& w) {
  w.findings.push_back({"engine", "engine-dead", severity::critical, "dead", "restart", true, now - 10min});
  w.past.asked.push_back({"engine/engine-dead", "this", now - 1min});
}
void under_maintenance(world& w) { w.now_is.maintenance = true; }
void stopped(world& w) { w.now_is.current = phase::stopped; }
void dependency(world& w) { w.findings.push_back(database_away()); }
void nothing(world&) {}

struct row {
  int number;
  std::function<void(world&)> make;
  answer healthz;
  answer readyz;
};

const row rows[] = {
    {1, migrate, answer::ok, answer::maintenance},
    {2, asked_elsewhere, answer::ok, answer::unavailable},
    {3, broken_here, answer::unavailable, answer::unavailable},
    {4, under_maintenance, answer::ok, answer::maintenance},
    {5, stopped, answer::ok, answer::unavailable},
    {6, dependency, answer::ok, answer::unavailable},
    {7, nothing, answer::ok, answer::ok},
};

void check(const judgement& judged, const row& expected) {
  CHECK(judged.given.row == expected.number);
  CHECK(judged.given.healthz == expected.healthz);
  CHECK(judged.given.readyz == expected.readyz);
  CHECK_FALSE(judged.given.reason.empty());
  CHECK(judged.given.judged == now);
}

}  // namespace

TEST_CASE("every row alone") {
  for (const auto& each : rows) {
    INFO("row " << each.number);
    world w;
    each.make(w);
    check(w.judged(), each);
  }
}

TEST_CASE("of every pair of rows the first wins") {
  for (const auto& first : rows)
    for (const auto& second : rows) {
      if (first.number >= second.number) continue;
      INFO("rows " << first.number << " and " << second.number);
      world w;
      second.make(w);
      first.make(w);
      check(w.judged(), first);
      world other_order;
      first.make(other_order);
      if (first.number != 1) second.make(other_order);  // row 1's phase is set by the pair above
      check(other_order.judged(), first);
    }
}

TEST_CASE("row 1: a session or a young migrate entry protects the VM") {
  struct migrate_case {
    bool session;
    std::optional<std::chrono::minutes> age;
    int row;
  };
  const migrate_case cases[] = {{false, {}, 4},    {true, {}, 1},     {false, 0min, 1}, {false, 29min, 1},
                                {false, 30min, 4}, {true, 300min, 1}, {false, -5min, 1}};
  for (const auto& each : cases) {
    world w;
    w.now_is.current = phase::upgrading;
    w.now_is.migrator_session = each.session;
    if (each.age) w.now_is.migrate_begun = now - *each.age;
    CHECK(w.judged().given.row == each.row);
  }
}

TEST_CASE("row 3: each finding has its grace") {
  world w;
  w.findings = {boot_disk(119s)};
  CHECK(w.judged().given.row == 6);
  w.findings = {boot_disk(120s)};
  CHECK(w.judged().given.row == 3);
  w.rules.grace_of["boot-disk-full"] = 5min;
  CHECK(w.judged().given.row == 6);
  w.findings = {boot_disk(5min)};
  CHECK(w.judged().given.row == 3);
  w.findings[0].since = {};
  CHECK(w.judged().given.row == 6);
}

TEST_CASE("row 3: nothing is asked for before it is on record") {
  world w;
  w.findings = {boot_disk(10min)};
  const auto first = w.judged();
  CHECK(first.given.row == 3);
  CHECK(first.given.healthz == answer::ok);
  CHECK(first.given.readyz == answer::unavailable);
  REQUIRE(first.record);
  CHECK(first.record->finding == "disk.boot/boot-disk-full");
  CHECK(first.record->machine == "this");
  CHECK(first.record->asked == now);
  w.past.asked.push_back(*first.record);
  const auto second = w.judged();
  CHECK(second.given.healthz == answer::unavailable);
  CHECK_FALSE(second.record);
}

TEST_CASE("row 3: only what belongs to this machine") {
  const auto code_of = [](const char* code, bool flag, severity level) {
    return may_replace({"x", code, level, "", "", flag, {}});
  };
  for (const char* code : {"boot-disk-full", "boot-disk-read-only", "boot-inodes-full", "engine-dead",
                           "mount-hung-here", "mount-missing-here"})
    CHECK(code_of(code, true, severity::critical));
  CHECK_FALSE(code_of("boot-disk-full", false, severity::critical));
  CHECK_FALSE(code_of("boot-disk-full", true, severity::error));
  for (const char* code : {"refused", "storage-hung", "mount-missing", "disk-full", "unhealthy"})
    CHECK_FALSE(code_of(code, true, severity::critical));
}

TEST_CASE("row 2: one replacement per finding and day, and none that cannot be counted") {
  world w;
  w.findings = {boot_disk(10min)};
  w.past.asked = {{"disk.boot/boot-disk-full", "before", now - 23h}};
  CHECK(w.judged().given.row == 2);
  w.past.asked = {{"disk.boot/boot-disk-full", "before", now - 24h}};
  CHECK(w.judged().given.row == 3);
  w.past.asked = {{"engine/engine-dead", "before", now - 1h}};
  CHECK(w.judged().given.row == 3);
  w.past.known = false;
  CHECK(w.judged().given.row == 2);
  CHECK(w.judged().given.healthz == answer::ok);
  CHECK_FALSE(w.judged().record);
}

TEST_CASE("row 2: a repair loop asks once a day") {
  int asked = 0;
  std::vector<replacement> record;
  for (int hour = 0; hour < 72; ++hour) {  // a new machine each hour, the fault on each of them
    world w;
    const auto at = now + std::chrono::hours(hour);
    auto fault = boot_disk(0s);
    fault.since = at - 10min;
    w.findings = {fault};
    w.past = {true, "machine-" + std::to_string(hour), record};
    const auto judged = judge(w.findings, w.now_is, w.rules, at, w.past);
    if (judged.record) record.push_back(*judged.record), ++asked;
  }
  CHECK(asked == 3);
}

TEST_CASE("rows 4 and 5: every phase has its answer") {
  struct phase_case {
    phase current;
    int row;
    answer readyz;
  };
  const phase_case cases[] = {
      {phase::starting, 5, answer::unavailable}, {phase::waiting_for_lease, 5, answer::unavailable},
      {phase::serving, 7, answer::ok},           {phase::upgrading, 4, answer::maintenance},
      {phase::holding, 4, answer::maintenance},  {phase::stopped, 5, answer::unavailable}};
  for (const auto& each : cases) {
    world w;
    w.now_is.current = each.current;
    const auto given = w.judged().given;
    CHECK(given.row == each.row);
    CHECK(given.readyz == each.readyz);
    CHECK(given.healthz == answer::ok);
    CHECK(given.current == each.current);
  }
  world invalid;
  invalid.now_is.configuration_valid = false;
  CHECK(invalid.judged().given.row == 5);
}

TEST_CASE("row 5: a start beyond its bound says so and keeps the VM") {
  world w;
  w.now_is = {.current = phase::starting, .phase_since = now - 1min};
  const auto early = w.judged().given;
  w.now_is.phase_since = now - 1h;
  const auto late = w.judged().given;
  CHECK(early.reason != late.reason);
  CHECK(late.healthz == answer::ok);
}

TEST_CASE("row 6: warnings do not count, the worst finding is named, a grace may be set") {
  world w;
  w.findings = {{"disk.boot", "disk-low", severity::warning, "", "", false, now - 1h}};
  CHECK(w.judged().given.row == 7);
  w.findings.push_back(database_away());
  w.findings.push_back({"storage", "storage-hung", severity::critical, "", "", false, now - 5s});
  CHECK(w.judged().given.reason == "storage is not available");
  w.rules.unready_grace = 10s;
  CHECK(w.judged().given.reason == "database.main is not available");
}
