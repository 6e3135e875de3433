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
  memory past{.known = true, .why_not = {}, .machine = "this", .asked = {}};

  judgement judged() const { return judge(findings, now_is, rules, now, past); }
};

finding boot_disk(std::chrono::seconds age) {
  return {"disk.boot", "boot-disk-full", severity::critical, "full", "free it", true, now - age};
}

finding database_away() {
  return {"database.main", "refused", severity::error, "refused", "start it", false, now - 10min};
}

const phase no_phase = phase::serving;

// One way to come into a row. Rows 4 and 5 are phases for the most part, and there is one at a time.
struct way {
  int row;
  const char* name;
  std::function<void(world&)> make;
  answer healthz;
  answer readyz;
  phase at = no_phase;
};

void fault(world& w, const char* subject, const char* code) {
  w.findings.push_back({subject, code, severity::critical, "broken", "mend it", true, now - 10min});
}
void asked(world& w, const char* key, const char* machine) {
  w.past.asked.push_back({key, machine, now - 2h});
}

constexpr auto up = answer::ok;
constexpr auto down = answer::unavailable;
constexpr auto page = answer::maintenance;

const way ways[] = {
    {1, "a migrator's session", [](world& w) { w.now_is.migrator_session = true; }, up, page},
    {1, "a young migrate entry", [](world& w) { w.now_is.migrate_begun = now - 5min; }, up, page},
    {2, "asked for by the machine before",
     [](world& w) {
       w.findings.push_back(boot_disk(10min)), asked(w, "disk.boot/boot-disk-full", "the one before");
     },
     up, down},
    {2, "the record cannot be read",
     [](world& w) { fault(w, "storage", "mount-hung-here"), w.past.known = false; }, up, down},
    {3, "boot disk",
     [](world& w) { w.findings.push_back(boot_disk(10min)), asked(w, "disk.boot/boot-disk-full", "this"); },
     down, down},
    {3, "boot disk read-only",
     [](world& w) {
       fault(w, "disk.boot", "boot-disk-read-only"), asked(w, "disk.boot/boot-disk-read-only", "this");
     },
     down, down},
    {3, "engine", [](world& w) { fault(w, "engine", "engine-dead"), asked(w, "engine/engine-dead", "this"); },
     down, down},
    {3, "mount hung",
     [](world& w) { fault(w, "storage", "mount-hung-here"), asked(w, "storage/mount-hung-here", "this"); },
     down, down},
    {3, "mount missing",
     [](world& w) {
       fault(w, "storage", "mount-missing-here"), asked(w, "storage/mount-missing-here", "this");
     },
     down, down},
    {4, "upgrading", [](world&) {}, up, page, phase::upgrading},
    {4, "holding", [](world&) {}, up, page, phase::holding},
    {4, "maintenance", [](world& w) { w.now_is.maintenance = true; }, up, page},
    {5, "stopped", [](world&) {}, up, down, phase::stopped},
    {5, "invalid configuration", [](world& w) { w.now_is.configuration_valid = false; }, up, down},
    {5, "waiting for the lease", [](world&) {}, up, down, phase::waiting_for_lease},
    {5, "starting", [](world&) {}, up, down, phase::starting},
    {5, "starting beyond its bound", [](world& w) { w.now_is.phase_since = now - 24h; }, up, down,
     phase::starting},
    {6, "database away", [](world& w) { w.findings.push_back(database_away()); }, up, down},
    {6, "the NFS server is away", [](world& w) { fault(w, "storage", "storage-hung"); }, up, down},
    {6, "Redis away",
     [](world& w) {
       w.findings.push_back({"redis", "redis-away", severity::error, "", "", false, now - 1min});
     },
     up, down},
    {6, "a service that stays unhealthy",
     [](world& w) {
       w.findings.push_back(
           {"service.api", "service-crash-looping", severity::error, "", "", false, now - 1h});
     },
     up, down},
    {7, "serving", [](world&) {}, up, up},
    {7, "serving without the engine",
     [](world& w) {
       w.findings.push_back({"engine", "engine-away", severity::critical, "", "", false, now - 1h});
     },
     up, up},
};

void put(world& w, const way& each) {
  if (each.at != no_phase) w.now_is.current = each.at;
  each.make(w);
}

void check(const judgement& judged, const way& expected) {
  CHECK(judged.given.row == expected.row);
  CHECK(judged.given.healthz == expected.healthz);
  CHECK(judged.given.readyz == expected.readyz);
  CHECK_FALSE(judged.given.reason.empty());
  CHECK(judged.given.judged == now);
}

}  // namespace

TEST_CASE("every way into every row, alone") {
  for (const auto& each : ways) {
    INFO(each.row << ": " << each.name);
    world w;
    put(w, each);
    check(w.judged(), each);
  }
}

TEST_CASE("of every pair of rows the first wins, whichever way into them") {
  int pairs = 0;
  for (const auto& first : ways)
    for (const auto& second : ways) {
      const bool both_phases = first.at != no_phase && second.at != no_phase;
      if (first.row >= second.row || both_phases) continue;
      INFO(first.row << " " << first.name << " and " << second.row << " " << second.name);
      world one, other;
      put(one, first), put(one, second);
      put(other, second), put(other, first);
      check(one.judged(), first);
      check(other.judged(), first);
      ++pairs;
    }
  CHECK(pairs > 170);
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
    w.past = {.known = true, .why_not = {}, .machine = "machine-" + std::to_string(hour), .asked = record};
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
