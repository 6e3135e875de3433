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
