#include "../../../daemon/supervisor/page.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using front::situation;

TEST_CASE("what visitors are told follows the phase") {
  struct row {
    page_facts facts;
    situation told;
  };
  const auto facts = [](phase at, bool upgrading = false, bool back = false, bool restoring = false,
                        bool maintenance = false) {
    return page_facts{at, upgrading, back, restoring, maintenance};
  };
  const row rows[] = {
      {facts(phase::upgrading, true), situation::upgrading},
      {facts(phase::upgrading), situation::upgrading},  // prepared, not journaled yet
      {facts(phase::upgrading, true, true), situation::going_back},
      {facts(phase::upgrading, false, false, true), situation::restoring},
      {facts(phase::upgrading, true, true, true), situation::restoring},  // of a held upgrade's database
      {facts(phase::holding, true), situation::held},
      {facts(phase::holding, true, true), situation::held},
      {facts(phase::holding, false, false, true), situation::restore_held},
      {facts(phase::holding), situation::closed},  // nothing was being upgraded
      {facts(phase::stopped), situation::stopped},
      {facts(phase::stopped, true, false, false, true), situation::stopped},
      {facts(phase::serving, false, false, false, true), situation::closed},
      {facts(phase::starting, false, false, false, true), situation::closed},
      {facts(phase::starting), situation::starting},
      {facts(phase::waiting_for_lease), situation::starting}};
  for (const auto& each : rows) {
    INFO(to_text(each.facts.at) << " " << each.facts.upgrading << each.facts.going_back
                                << each.facts.restoring << each.facts.maintenance);
    CHECK(to_text(situation_of(each.facts)) == to_text(each.told));
  }
}

TEST_CASE("the entrance is asked and held at the address that nginx publishes") {
  struct row {
    const char* address;
    const char* held;
    const char* asked;
  };
  const row rows[] = {{"", "0.0.0.0", "127.0.0.1"},
                      {"0.0.0.0", "0.0.0.0", "127.0.0.1"},
                      {"::", "::", "::1"},
                      {"127.0.0.1", "127.0.0.1", "127.0.0.1"},
                      {"10.0.0.5", "10.0.0.5", "10.0.0.5"},
                      {"::1", "::1", "::1"}};
  for (const auto& each : rows) {
    compose::project project;
    CHECK_FALSE(published_entrance(project));
    auto& nginx = project.services["nginx"];
    nginx.image = "nginx:latest";
    CHECK_FALSE(published_entrance(project));
    compose::service_port tls, plain;
    tls.target = 443, tls.published = "8443";
    plain.target = 80, plain.published = "8080", plain.host_ip = each.address;
    nginx.ports = {tls, plain};
    const auto found = published_entrance(project);
    REQUIRE(found);
    CHECK(found->held == each.held);
    CHECK(found->asked == each.asked);
    CHECK(found->port == 8080);
  }
}
