#include "../../../daemon/supervisor/start_choice.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

namespace {

std::optional<version> v(const char* text) {
  if (!text) return std::nullopt;
  return *parse_version(text);
}

struct row {
  const char* name;
  const char* configured;
  const char* deployed;
  const char* in_flight;
  bool held;
  const char* ledger_revision;
  const char* database;  // nullptr: not known
  start_action action;
  const char* target;
};

}  // namespace

TEST_CASE("choose_start") {
  const row rows[] = {
      {"fresh", "1.11.4", nullptr, nullptr, false, "", "", start_action::install, "1.11.4"},
      {"fresh, database not up yet", "1.11.4", nullptr, nullptr, false, "", nullptr, start_action::install,
       "1.11.4"},
      {"nothing configured", nullptr, nullptr, nullptr, false, "", "", start_action::hold, nullptr},
      {"database without ledger", "1.11.4", nullptr, nullptr, false, "", "905527cc8fd3", start_action::hold,
       nullptr},
      {"as deployed", "1.11.4", "1.11.4", nullptr, false, "aaaa", "aaaa", start_action::run, "1.11.4"},
      {"older template", "1.11.3", "1.12.1", nullptr, false, "aaaa", "aaaa", start_action::run, "1.12.1"},
      {"newer configuration", "1.12.1", "1.11.4", nullptr, false, "aaaa", "aaaa", start_action::upgrade,
       "1.12.1"},
      {"nothing configured but deployed", nullptr, "1.11.4", nullptr, false, "aaaa", "aaaa",
       start_action::run, "1.11.4"},
      {"ledger but empty database", "1.11.4", "1.11.4", nullptr, false, "aaaa", "", start_action::hold,
       nullptr},
      {"database moved", "1.11.4", "1.11.4", nullptr, false, "aaaa", "bbbb", start_action::hold, nullptr},
      {"in flight", "1.11.4", "1.11.4", "1.12.1", false, "aaaa", "bbbb", start_action::resume, "1.12.1"},
      {"held", "1.11.4", "1.11.4", "1.12.1", true, "aaaa", "bbbb", start_action::hold, nullptr},
      {"bundled database not up yet", "1.11.4", "1.11.4", nullptr, false, "aaaa", nullptr, start_action::run,
       "1.11.4"},
  };
  for (const auto& each : rows) {
    INFO(each.name);
    start_facts facts;
    facts.configured = v(each.configured);
    facts.deployed = v(each.deployed);
    facts.in_flight = v(each.in_flight);
    facts.held = each.held;
    facts.ledger_revision.id = each.ledger_revision;
    if (each.database) facts.database = revision{each.database};
    const auto choice = choose_start(facts);
    CHECK(choice.action == each.action);
    CHECK(choice.target == v(each.target));
    CHECK(choice.reason.empty() == (each.action != start_action::hold));
    // What would have to be fetched first makes nothing else wait.
    facts.at_hand = false;
    const auto then = choose_start(facts);
    const bool upgrade = each.action == start_action::upgrade;
    CHECK(then.action == (upgrade ? start_action::run_then_upgrade : each.action));
    CHECK(then.target == choice.target);
  }
}

TEST_CASE("where the ledger and the database disagree") {
  struct row {
    const char* name;
    const char* deployed;
    const char* local;
    const char* database;
    std::vector<const char*> fitting;
    start_action action;
    const char* target;
    std::vector<const char*> in_reason;
    std::vector<const char*> in_options;
  };
  const row rows[] = {
      {"put back to an older state",
       "1.12.1",
       nullptr,
       "aaaa",
       {"1.11.4", "1.11.3"},
       start_action::hold,
       nullptr,
       {"revision aaaa", "the older 1.11.4", "1.12.1 was committed with revision bbbb"},
       {"difyd repin 1.11.4: ", "difyd repin 1.11.3: "}},
      {"of a newer one",
       "1.12.1",
       nullptr,
       "cccc",
       {"1.13.0"},
       start_action::hold,
       nullptr,
       {"the head of 1.13.0,"},
       {"difyd repin 1.13.0: "}},
      {"of none that is known",
       "1.12.1",
       nullptr,
       "ffff",
       {},
       start_action::hold,
       nullptr,
       {"no release that is known here"},
       {"difyd up: "}},
      {"empty under a ledger",
       "1.12.1",
       nullptr,
       "",
       {},
       start_action::hold,
       nullptr,
       {"the database is empty"},
       {"difyd up: "}},
      {"no ledger, known revision",
       nullptr,
       nullptr,
       "aaaa",
       {"1.11.4", "1.11.3"},
       start_action::adopt,
       "1.11.4",
       {},
       {}},
      {"no ledger, unknown revision",
       nullptr,
       nullptr,
       "ffff",
       {},
       start_action::hold,
       nullptr,
       {"no release that is known here", "do not belong together"},
       {"difyd up: "}},
      {"neither", nullptr, nullptr, "", {}, start_action::install, "1.11.4", {}, {}},
      {"an emptied share",
       nullptr,
       "1.12.1",
       "",
       {},
       start_action::hold,
       nullptr,
       {"this machine ran 1.12.1", "emptied"},
       {"difyd up: ", "ledger-copy.json"}},
      {"an emptied share, known revision",
       nullptr,
       "1.12.1",
       "bbbb",
       {"1.12.1"},
       start_action::hold,
       nullptr,
       {"this machine ran 1.12.1"},
       {"difyd up: ", "ledger-copy.json"}},
      {"a copy of what the ledger says", "1.12.1", "1.12.1", "bbbb", {}, start_action::run, "1.12.1", {}, {}},
  };
  for (const auto& each : rows) {
    INFO(each.name);
    start_facts facts;
    facts.configured = v("1.11.4");
    facts.deployed = v(each.deployed);
    facts.local = v(each.local);
    facts.ledger_revision.id = each.deployed ? "bbbb" : "";
    facts.database = revision{each.database};
    for (const auto* fits : each.fitting) facts.fitting.push_back(*v(fits));
    CHECK(disagree(facts) == (each.deployed ? facts.database->id != "bbbb" : !facts.database->empty()));
    const auto choice = choose_start(facts);
    CHECK(choice.action == each.action);
    CHECK(choice.target == v(each.target));
    for (const auto* part : each.in_reason) CHECK(choice.reason.find(part) != std::string::npos);
    REQUIRE(choice.options.size() == each.in_options.size());
    for (std::size_t i = 0; i < choice.options.size(); ++i)
      CHECK((choice.options[i].starts_with(each.in_options[i]) ||
             choice.options[i].starts_with(std::string("removing ") + each.in_options[i])));
    // An upgrade in flight looks for itself.
    facts.in_flight = v("1.13.0");
    CHECK_FALSE(disagree(facts));
    CHECK(choose_start(facts).action == start_action::resume);
  }
}

TEST_CASE("a stack that falls is brought up again as it is") {
  start_facts facts;
  facts.configured = v("1.12.1");
  facts.deployed = v("1.11.4");
  facts.settled = true;
  CHECK(choose_start(facts).action == start_action::run);
  CHECK(choose_start(facts).target == v("1.11.4"));
  facts.in_flight = v("1.12.1");
  CHECK(choose_start(facts).action == start_action::resume);
}

TEST_CASE("starts that fail again and again are further and further apart") {
  using std::chrono::seconds;
  CHECK(pause_before_start(0) == seconds(2));
  CHECK(pause_before_start(2) == seconds(8));
  CHECK(pause_before_start(5) == seconds(60));
  CHECK(pause_before_start(1000) == seconds(60));
}

TEST_CASE("an older configured version is warned about; the metadata's newer one counts") {
  start_facts facts;
  facts.deployed = v("1.12.1");
  facts.configured = v("1.11.3");
  CHECK_FALSE(choose_start(facts).warning.empty());
  facts.metadata = v("1.13.0");
  CHECK(choose_start(facts).action == start_action::upgrade);
  CHECK(choose_start(facts).target == v("1.13.0"));
}
