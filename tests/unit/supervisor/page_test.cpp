#include "../../../daemon/supervisor/page.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

TEST_CASE("the page says what is going on and promises nothing") {
  struct row {
    phase at;
    const char* to;    // of the upgrade in flight; "" without one
    const char* step;  // its last one
    const char* title;
    const char* detail;
  };
  const row rows[] = {
      {phase::upgrading, "1.12.1", "migrate", "Dify is being upgraded",
       "The upgrade to 1.12.1 is under way."},
      {phase::upgrading, "1.12.1", "put-back", "Dify is being started again",
       "The upgrade to 1.12.1 was given up."},
      {phase::upgrading, "", "", "Dify is being upgraded", ""},
      {phase::holding, "1.12.3", "put-back", "Dify is down for maintenance",
       "The upgrade to 1.12.3 did not finish. An operator has to decide how it goes on."},
      {phase::holding, "", "", "Dify is down for maintenance", "An operator has to decide how it goes on."},
      {phase::stopped, "", "", "Dify is stopped", "An operator has stopped it."},
      {phase::stopped, "1.12.3", "migrate", "Dify is stopped", "An operator has stopped it."},
      {phase::starting, "", "", "Dify is starting", ""},
      {phase::waiting_for_lease, "", "", "Dify is starting", ""}};
  for (const auto& each : rows) {
    INFO(to_text(each.at) << " " << each.to);
    std::optional<ledger::journal> flight;
    if (*each.to) {
      flight.emplace();
      flight->to = *parse_version(each.to);
      flight->entries.emplace_back();
      flight->entries.back().step = each.step;
    }
    const auto words = words_of(each.at, flight);
    CHECK(words.title == each.title);
    CHECK(words.detail == each.detail);
  }
}
