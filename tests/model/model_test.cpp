// The model of an upgrade: every crash, pairs of crashes, every outside event, and random scripts of
// them. DIFYD_MODEL_SEED and DIFYD_MODEL_RUNS choose the random ones.
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "catch.hpp"
#include "drive.hpp"

using namespace difyd::modelled;

namespace {

unsigned long from_environment(const char* name, unsigned long otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoul(text, nullptr, 10) : otherwise;
}

std::vector<scenario> scenarios() {
  std::vector<scenario> all;
  for (const auto how : {migration::moves, migration::transactional, migration::nothing, migration::refuses,
                         migration::halfway, migration::catalog_only})
    all.push_back({how});
  for (const auto how : {migration::moves, migration::nothing})
    for (const auto up : {coming_up::second_time, coming_up::never}) all.push_back({how, up});
  for (const auto how : {migration::moves, migration::nothing, migration::refuses, migration::catalog_only})
    for (const bool replaces : {false, true}) all.push_back({how, coming_up::well, true, replaces});
  all.push_back({migration::nothing, coming_up::never, true, true});
  all.push_back({migration::moves, coming_up::well, false, false, true});
  all.push_back({migration::refuses, coming_up::well, false, false, true});
  all.push_back({migration::moves, coming_up::well, false, false, true, true});
  return all;
}

std::string story(const scenario& plan, const script& acts, defect wrong = defect::none) {
  const auto few = shrunk(plan, acts, wrong);
  const auto told = drive(plan, few, wrong, true);
  return to_text(plan) + "\nscript: " + to_text(acts) + "\nshrunk: " + to_text(few) + "\n" + told.trace;
}

// Reports a violation with its whole story.
bool good(const scenario& plan, const script& acts, std::string* end = nullptr) {
  const auto run = drive(plan, acts);
  if (end) *end = run.end;
  if (run.violated.empty()) return true;
  FAIL_CHECK(run.violated << "\n" << story(plan, acts));
  return false;
}

script random_script(std::mt19937& chance) {
  const auto below = [&](int limit) { return static_cast<int>(chance() % static_cast<unsigned>(limit)); };
  script acts;
  for (int left = 1 + below(5); left > 0; --left)
    acts.push_back({1 + below(110), static_cast<event>(below(events)), below(8)});
  return acts;
}

}  // namespace

TEST_CASE("model: an upgrade without mishap ends as its migration does") {
  const auto end = [](scenario plan) {
    const auto run = drive(plan, {}, defect::none, true);
    INFO(to_text(plan) << "\n" << run.trace);
    CHECK(run.violated == "");
    return run.end;
  };
  CHECK(end({migration::moves}) == "serving 2");
  CHECK(end({migration::transactional}) == "serving 2");
  CHECK(end({migration::nothing}) == "serving 2");
  CHECK(end({migration::refuses}) == "serving 1");
  CHECK(end({migration::halfway}) == "holding");
  CHECK(end({migration::catalog_only}) == "holding");
  CHECK(end({migration::moves, coming_up::second_time}) == "serving 2");
  CHECK(end({migration::moves, coming_up::never}) == "holding");
  CHECK(end({migration::nothing, coming_up::never}) == "serving 1");
  CHECK(end({migration::refuses, coming_up::well, true, true}) == "holding");
  CHECK(end({migration::moves, coming_up::well, true, true}) == "serving 2");
  CHECK(end({migration::moves, coming_up::well, false, false, true}) == "serving 2");
  CHECK(end({migration::moves, coming_up::well, false, false, true, true}) == "serving 2");
}

TEST_CASE("model: one mishap at every point") {
  long runs = 0;
  for (const auto& plan : scenarios()) {
    const int points = drive(plan, {}).points;
    for (int kind = 0; kind < events; ++kind)
      for (const int arg : {0, 2, 7})
        for (int at = 1; at <= points; ++at, ++runs)
          if (!good(plan, {{at, static_cast<event>(kind), arg}})) return;
  }
  std::cout << "one mishap: " << runs << " runs\n";
}

TEST_CASE("model: two crashes at every pair of points") {
  long runs = 0;
  const scenario plans[] = {{migration::moves},
                            {migration::refuses},
                            {migration::catalog_only},
                            {migration::nothing, coming_up::never},
                            {migration::moves, coming_up::well, true, true},
                            {migration::refuses, coming_up::well, true, false}};
  for (const auto& plan : plans) {
    const int points = drive(plan, {}).points;
    for (int first = 1; first <= points; ++first)
      for (int second = first + 1; second <= first + points; ++second, ++runs)
        if (!good(plan, {{first, event::crash, 0}, {second, event::crash, first % 3}})) return;
  }
  std::cout << "two crashes: " << runs << " runs\n";
}

TEST_CASE("model: random scripts") {
  const auto seed = from_environment("DIFYD_MODEL_SEED", 20261121);
  const auto runs = from_environment("DIFYD_MODEL_RUNS", 20000);
  std::cout << "DIFYD_MODEL_SEED=" << seed << " DIFYD_MODEL_RUNS=" << runs << "\n";
  const auto plans = scenarios();
  std::map<std::string, long> ends;
  for (unsigned long run = 0; run < runs; ++run) {
    std::mt19937 chance(static_cast<unsigned>(seed + run));
    const auto& plan = plans[chance() % plans.size()];
    const auto acts = random_script(chance);
    std::string end;
    INFO("DIFYD_MODEL_SEED=" << seed + run << " DIFYD_MODEL_RUNS=1 repeats run " << run);
    if (!good(plan, acts, &end)) return;
    ++ends[end];
  }
  for (const auto& [end, count] : ends) std::cout << end << ": " << count << "\n";
}

// None of these is a reason for an operator to be woken.
TEST_CASE("model: what heals by itself does not hold") {
  for (const auto& plan :
       {scenario{migration::moves}, scenario{migration::nothing}, scenario{migration::refuses},
        scenario{migration::moves, coming_up::well, true, false},
        scenario{migration::moves, coming_up::well, false, false, true}}) {
    const int points = drive(plan, {}).points;
    for (const auto kind : {event::crash, event::crash_human, event::reboot, event::replaced, event::dockerd,
                            event::database, event::human, event::share})
      for (const int arg : {0, 3, 60})
        for (int at = 1; at <= points; ++at) {
          const auto run = drive(plan, {{at, kind, arg}});
          // A migrator that was killed half-way is the exception: DESIGN's migrate step holds.
          const bool killed = run.moved && (kind == event::dockerd || kind == event::database);
          if (run.violated.empty() && (run.end != "holding" || killed)) continue;
          FAIL_CHECK(run.end << run.violated << "\n" << story(plan, {{at, kind, arg}}));
          return;
        }
    // Nine kills in a row, as an operator's restarts during one step are.
    for (int at = 1; at <= points; ++at) {
      script kills;
      for (int i = 0; i < 9; ++i) kills.push_back({at + 2 * i, event::crash, 0});
      CHECK(drive(plan, kills).end != "holding");
    }
  }
}

TEST_CASE("model: an abort goes back, or comes too late") {
  for (const bool bundled : {false, true})
    for (const bool replaces : {false, true}) {
      const scenario plan{migration::moves, coming_up::well, bundled, replaces};
      std::set<std::string> ends;
      for (int at = 1; at <= drive(plan, {}).points; ++at) {
        const auto run = drive(plan, {{at, event::abort, 0}});
        INFO(to_text(plan) << ", at " << at << " " << run.violated);
        CHECK(run.violated.empty());
        ends.insert(run.end);
      }
      CHECK(ends == std::set<std::string>{"serving 1", "serving 2"});
    }
}

TEST_CASE("model: without waiting for what a step stands on a long outage ends in a hold") {
  const scenario plan{migration::nothing};
  int holds = 0;
  for (int at = 1; at <= drive(plan, {}).points; ++at) {
    holds += drive(plan, {{at, event::database, 60}}, defect::impatient).end == "holding";
    CHECK(drive(plan, {{at, event::database, 60}}).end != "holding");
  }
  CHECK(holds > 0);
}

// The checker can fail: each defect is found by some random script, and its story can be told.
TEST_CASE("model: every defect is found") {
  const auto plans = scenarios();
  for (int each = 1; each <= defects; ++each) {
    const auto wrong = static_cast<defect>(each);
    if (wrong == defect::impatient) continue;
    std::mt19937 chance(7);
    int runs = 0;
    for (;; ++runs) {
      const auto& plan = plans[chance() % plans.size()];
      const auto acts = random_script(chance);
      const auto run = drive(plan, acts, wrong);
      if (run.violated.empty() && runs < 100000) continue;
      std::cout << to_text(wrong) << ": run " << runs << ": " << run.violated << ": "
                << to_text(shrunk(plan, acts, wrong)) << " (" << to_text(plan) << ")\n";
      INFO(to_text(wrong));
      CHECK(run.violated != "");
      break;
    }
  }
}
