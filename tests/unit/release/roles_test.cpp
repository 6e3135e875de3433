#include "difyd/release/roles.hpp"

#include "catch.hpp"

using namespace difyd;

TEST_CASE("a service whose end is its work done") {
  struct row {
    const char* restart;
    const char* awaited;  // the condition on which another service waits; nullptr: none does
    bool one_shot;
  };
  const row rows[] = {{"no", nullptr, true},
                      {"no", "service_completed_successfully", true},
                      {"no", "service_started", true},
                      {"", "service_completed_successfully", true},
                      {"always", "service_completed_successfully", true},
                      {"", nullptr, false},
                      {"", "service_healthy", false},
                      {"always", "service_started", false},
                      {"on-failure", nullptr, false},
                      {"unless-stopped", nullptr, false}};
  for (const auto& each : rows) {
    INFO(each.restart << " " << (each.awaited ? each.awaited : "-"));
    compose::project project;
    project.services["init"].restart = each.restart;
    if (each.awaited) project.services["api"].depends_on["init"].condition = each.awaited;
    CHECK(release::one_shot(project, "init") == each.one_shot);
  }
  CHECK_FALSE(release::one_shot(compose::project{}, "init"));
}
