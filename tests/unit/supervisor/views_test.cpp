#include "../../../daemon/supervisor/views.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time start = wall_time{} + 20000 * 24h;

ledger::journal_entry entry(const char* step, ledger::entry_state state, std::chrono::milliseconds at) {
  return {step, state, start + at, state == ledger::entry_state::begin ? "" : "detail of it", false};
}

using enum ledger::entry_state;

}  // namespace

TEST_CASE("the steps of an upgrade come from its journal") {
  const auto steps =
      steps_of({entry("drain", begin, 0s), entry("drain", done, 2500ms), entry("stop", begin, 3s),
                entry("stop", begin, 60s), entry("stop", failed, 61s), entry("put-back", begin, 62s)});
  struct row {
    const char* step;
    const char* state;
    double seconds;
    const char* detail;
  };
  const row rows[] = {{"drain", "done", 2.5, "detail of it"},
                      {"stop", "interrupted", 0, ""},
                      {"stop", "failed", 1, "detail of it"},
                      {"put-back", "interrupted", 0, ""}};
  REQUIRE(steps.size() == std::size(rows));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CHECK(steps[i].step == rows[i].step);
    CHECK(steps[i].state == rows[i].state);
    CHECK(steps[i].seconds == rows[i].seconds);
    CHECK(steps[i].detail == rows[i].detail);
  }
  CHECK(steps[1].started == "2024-10-04T00:00:03.000Z");
  CHECK(steps_of({}).empty());
}

TEST_CASE("an upgrade in flight is shown from the ledger, held or not") {
  ledger::record book;
  CHECK_FALSE(operation_of(book));
  book.in_flight.emplace();
  book.in_flight->id = "a";
  book.in_flight->from = *parse_version("1.11.4");
  book.in_flight->to = *parse_version("1.12.1");
  book.in_flight->started_at = start;
  book.in_flight->entries = {entry("drain", begin, 0s)};
  auto shown = operation_of(book);
  REQUIRE(shown);
  CHECK(shown->kind == "upgrade");
  CHECK(shown->from + " " + shown->to + " " + shown->started == "1.11.4 1.12.1 2024-10-04T00:00:00.000Z");
  CHECK(shown->result.empty());
  CHECK(shown->steps.size() == 1);
  book.history.emplace_back();
  book.history.back().id = "a";
  book.history.back().result = ledger::ending::held;
  CHECK(operation_of(book)->result == "held");
}
