#include "difyd/control/plan.hpp"

#include <functional>

#include "catch.hpp"

using namespace difyd;

namespace {

control::plan some_plan() {
  control::plan plan;
  plan.from = "1.11.4";
  plan.to = "1.12.1";
  plan.release = "b0";
  plan.backup = "pg_dump";
  plan.schema = {"a", "b", {{"b", "Words.", ""}}, ""};
  plan.images = {{"api:2", true, true, "sha256:1", "api@sha256:9", 5, 0}};
  plan.environment = {{"KEY", "changed", "", "1", "2", "1", "2", false, "redis"}};
  plan.environment_hash = "e0";
  plan.operations = {{"recreate container", "d-api-1", "api", "image changed"}};
  plan.advisories = {{"halt", "stop", true, "Words.", "", {}, "", "", ""}};
  plan.data_services = {{"db", "image", "pg:1", "pg:2", true, "made anew"}};
  plan.overlay = {{"nginx/nginx.conf.template", "changed"}};
  plan.overlay_hash = "o0";
  plan.hash = control::plan_hash(plan);
  return plan;
}

using change = std::function<void(control::plan&)>;

}  // namespace

TEST_CASE("a plan survives the wire, with its hash") {
  const auto before = some_plan();
  const auto after = control::parse_plan(control::to_json(before));
  REQUIRE(after);
  CHECK(control::to_json(*after) == control::to_json(before));
  CHECK(control::plan_hash(*after) == before.hash);
  CHECK(before.hash.size() == 31);
  CHECK_FALSE(control::parse_plan("[]"));
}

TEST_CASE("what a plan would not do is not in its hash") {
  const std::vector<change> changes = {
      [](auto& plan) {
        plan.disk = {"/var/lib/docker", 1, 2, false};
      },
      [](auto& plan) {
        plan.downtime = {5, "u1", "1", "2", "then", {{"stop", 5}}};
      },
      [](auto& plan) { plan.notes = {"by the way"}; },
      [](auto& plan) { plan.reversible = "always"; },
      [](auto& plan) { plan.operations[0].cause = "not running: exited (1)"; },
      [](auto& plan) { plan.images[0].estimate = 7; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO(i);
    auto plan = some_plan();
    changes[i](plan);
    CHECK(control::refuse_another_plan(some_plan().hash, plan));
  }
}

TEST_CASE("a plan that is another by now names what changed") {
  struct row {
    const char* sections;
    change what;
  };
  const row rows[] = {{"release", [](auto& plan) { plan.from = "1.11.3"; }},
                      {"release", [](auto& plan) { plan.release = "b1"; }},
                      {"advisories", [](auto& plan) { plan.advisories.clear(); }},
                      {"backup", [](auto& plan) { plan.backup = "NONE"; }},
                      {"schema", [](auto& plan) { plan.schema.from = "c"; }},
                      {"schema", [](auto& plan) { plan.schema.migrations[0].commits = "COMMIT"; }},
                      {"schema", [](auto& plan) { plan.schema.unknown = "not here"; }},
                      {"services", [](auto& plan) { plan.data_services[0].is = "pg:3"; }},
                      {"services", [](auto& plan) { plan.services_added = {"agent"}; }},
                      {"environment", [](auto& plan) { plan.environment_hash = "e1"; }},
                      {"images", [](auto& plan) { plan.images[0].id = "sha256:2"; }},
                      {"operations",
                       [](auto& plan) {
                         plan.operations.push_back({"remove container", "d-x-1", "x", ""});
                       }},
                      {"overlay", [](auto& plan) { plan.overlay_hash = "o1"; }},
                      {"overlay", [](auto& plan) { plan.overlay[0].change = "removed"; }},
                      {"environment, images", [](auto& plan) {
                         plan.environment.clear();
                         plan.images.clear();
                       }}};
  for (const auto& each : rows) {
    INFO(each.sections);
    auto plan = some_plan();
    each.what(plan);
    const auto result = control::refuse_another_plan(some_plan().hash, plan);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == "plan-changed");
    CHECK(result.error().message == "cannot upgrade to 1.12.1 by plan " + some_plan().hash +
                                        ": the plan is another by now: " + each.sections);
    CHECK(result.error().remedy == "Read it again: difyd plan 1.12.1");
  }
}

TEST_CASE("what is no hash of a plan is bad input") {
  for (const std::string bad :
       {"", "1.12.1", "0123456789ab", "0123456789ab-0123456789abcde", "0123456789ab-0123456789abcdeg",
        "0123456789ab00123456789abcdef", "0123456789AB-0123456789abcdef"}) {
    INFO(bad);
    const auto result = control::refuse_another_plan(bad, some_plan());
    REQUIRE_FALSE(result);
    CHECK(result.error().code == "bad-request");
  }
}
