#include "catch.hpp"
#include "difyd/health/heal.hpp"
#include "difyd/health/keeper.hpp"
#include "difyd/health/render.hpp"

using namespace difyd;
using namespace difyd::health;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000h;

finding about(const char* subject, const char* code, severity level = severity::ok) {
  return {subject, code, level, "detail of " + std::string(subject), level == severity::ok ? "" : "do this",
          false,   {}};
}

}  // namespace

TEST_CASE("a finding that stays keeps its beginning") {
  auto first = keep_since({}, {about("redis", "ok"), about("engine", "ok")}, start);
  auto second = keep_since(first, {about("redis", "ok"), about("engine", "dead")}, start + 1min);
  CHECK(second[0].since == start);
  CHECK(second[1].since == start + 1min);
}

TEST_CASE("a probe replaces what it said before and nothing else") {
  auto all =
      replace_subjects({}, {about("redis", "ok"), about("storage", "a"), about("storage", "b")}, start);
  all = replace_subjects(std::move(all), {about("storage", "b")}, start + 1min);
  REQUIRE(all.size() == 2);
  CHECK(all[0].subject == "redis");
  CHECK(all[1].code == "b");
  CHECK(all[1].since == start);
}

TEST_CASE("findings as a table") {
  const std::vector<finding> findings{about("redis", "ok"), about("disk.boot", "disk-low", severity::warning),
                                      about("engine", "dead", severity::critical)};
  CHECK(render_text(findings) ==
        "ok     redis      detail of redis\n"
        "warn   disk.boot  detail of disk.boot\n"
        "                  -> do this\n"
        "error  engine     detail of engine\n"
        "                  -> do this\n"
        "3 checks: 1 error, 1 warning\n");
  CHECK(render_text({about("redis", "ok")}) == "ok     redis  detail of redis\n1 check, all good\n");
  CHECK(render_text({about("a\033[2Jb", "ok")}).find('\033') == std::string::npos);
  CHECK(render_text(findings, true).find("\033[31merror") != std::string::npos);
  CHECK(exit_code(findings) == 2);
  CHECK(exit_code({findings[0], findings[1]}) == 1);
  CHECK(exit_code({findings[0]}) == 0);
}

TEST_CASE("findings as JSON") {
  auto one = about("redis", "refused", severity::error);
  one.since = start;
  CHECK(
      render_json({one}) ==
      R"({"worst":"error","findings":[{"subject":"redis","code":"refused","severity":"error","detail":"detail of redis",)"
      R"("remedy":"do this","new_vm_helps":false,"since":")" +
          to_rfc3339(start) + "\"}]}");
  CHECK(render_json({}) == R"({"worst":"ok","findings":[]})");
}

TEST_CASE("what is well is left alone, what died is brought back in order") {
  const auto proposals = heal({{"redis", service_condition::healthy},
                               {"api", service_condition::exited},
                               {"web", service_condition::missing},
                               {"nginx", service_condition::running}},
                              {}, {}, start);
  REQUIRE(proposals.size() == 2);
  CHECK(proposals[0] == proposal{"api", heal_act::restart, "api has ended", {}});
  CHECK(proposals[1] == proposal{"web", heal_act::recreate, "the container of web is gone", {}});
}

TEST_CASE("restarts are spaced further and further, and end with the budget") {
  struct heal_case {
    std::vector<wall_time> attempts;
    heal_act act;
  };
  const heal_case cases[] = {
      {{}, heal_act::restart},
      {{start - 1s}, heal_act::wait},
      {{start - 2s}, heal_act::restart},
      {{start - 9s, start - 3s}, heal_act::wait},
      {{start - 9s, start - 4s}, heal_act::restart},
      {{start - 2h, start - 1h}, heal_act::restart},
      {{start - 20min, start - 15min, start - 10min, start - 5min, start - 3min}, heal_act::give_up},
  };
  for (const auto& each : cases) {
    const auto proposals = heal({{"api", service_condition::unhealthy}}, {}, {{"api", each.attempts}}, start);
    REQUIRE(proposals.size() == 1);
    CHECK(proposals[0].act == each.act);
  }
}

TEST_CASE("a service that was just restarted is recovering until its budget is used up") {
  heal_policy rules;
  rules.budget = 3;
  heal_history history{{"api", {start}}, {"web", {start - 10min}}, {"worker", {start, start, start}}};
  CHECK(recovering(history, rules, start + 1s) == std::set<std::string>{"api"});
  CHECK(recovering(history, rules, start + 3min).empty());
  CHECK(looping(history, rules, start + 1s).size() == 1);
  CHECK(looping(history, rules, start + 1s).contains("worker"));
  CHECK(looping(history, rules, start + 7min).empty());
  forget(history, rules, start + 25min);
  CHECK(history.size() == 2);
  CHECK_FALSE(history.contains("web"));
}
