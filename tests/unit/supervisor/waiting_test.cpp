#include "../../../daemon/supervisor/waiting.hpp"

#include "catch.hpp"

using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const std::chrono::steady_clock::time_point start{1h};

waiting wait_for(std::vector<awaited> what) { return {"id", std::move(what), start, 60s}; }

}  // namespace

TEST_CASE("a wait says for whom, why and how long") {
  struct row {
    std::vector<awaited> what;
    const char* text;
    const char* services;
  };
  const row rows[] = {
      {{}, "", ""},
      {{{"api", "its health check fails"}}, "waiting for api: its health check fails (3 of 60 s)", "api"},
      {{{"api", "no"}, {"web", "nor this"}}, "waiting for api: no; web: nor this (3 of 60 s)", "api, web"},
      {{{"a", "x"}, {"b", "y"}, {"c", "z"}, {"d", "z"}},
       "waiting for a: x; b: y; 2 more (3 of 60 s)",
       "a, b and 2 more"}};
  for (const auto& each : rows) {
    CHECK(waiting_text(wait_for(each.what), start + 3900ms) == each.text);
    CHECK(services_text(wait_for(each.what)) == each.services);
  }
  CHECK(reason_text(wait_for({{"api", "no"}}), start) == "no (0 of 60 s)");
}

TEST_CASE("a wait is told when it is new, not all the time") {
  wait_teller teller;
  const auto api = wait_for({{"api", "no"}});
  const auto web = wait_for({{"web", "no"}});
  struct row {
    std::chrono::milliseconds at;
    waiting now;
    bool told;
  };
  const row rows[] = {{300ms, api, false}, {1200ms, api, true}, {1500ms, web, false},
                      {3300ms, web, true}, {9s, web, false},    {10s, wait_for({}), false},
                      {11s, api, true}};
  for (const auto& each : rows) {
    INFO(each.at.count());
    CHECK(teller.worth_telling(each.now, start + each.at) == each.told);
  }
}

TEST_CASE("what the executor waits for") {
  struct row {
    const char* text;
    awaited what;
  };
  const row rows[] = {{"waiting for redis (service_started)", {"redis", "it does not run yet"}},
                      {"waiting for db (service_healthy)", {"db", "it is not healthy yet"}},
                      {"waiting for init (service_completed_successfully)", {"init", "it has not ended yet"}},
                      {"something", {"something", "it is not there yet"}}};
  for (const auto& each : rows) CHECK(awaited_of(each.text) == each.what);
}

TEST_CASE("a wait ends with its scope") {
  waiting now;
  {
    wait_scope scope(now, "id", 60s);
    scope.set({{"api", "no"}});
    CHECK(now.for_what.size() == 1);
  }
  CHECK(now.for_what.empty());
}
