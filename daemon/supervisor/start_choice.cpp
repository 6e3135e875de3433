#include "start_choice.hpp"

#include <algorithm>

namespace difyd::supervisor {
namespace {

constexpr std::size_t most_options = 3;

std::optional<version> newest(std::optional<version> a, const std::optional<version>& b) {
  if (!a) return b;
  return b && *b > *a ? b : a;
}

start_choice hold(std::string reason, std::vector<std::string> options = {}) {
  return {start_action::hold, std::nullopt, std::move(reason), {}, std::move(options)};
}

start_choice without_ledger(const start_facts& facts, const std::optional<version>& asked) {
  if (facts.local)
    return hold("the storage has no ledger, and by the local copy of it this machine ran " +
                    facts.local->text() + ": it is not the right storage, or it was emptied",
                {"difyd up: looks again, once the right storage is mounted or restored",
                 "removing ledger-copy.json from state_dir, then difyd up: begins anew on this storage"});
  if (facts.database && !facts.database->empty()) {
    if (!facts.fitting.empty()) return {start_action::adopt, facts.fitting.front(), {}, {}, {}};
    return hold(
        "the database holds revision " + facts.database->id +
            ", which is the head of no release that is known here, and the storage has no ledger: they "
            "do not belong together, or the installation was made by other means",
        {"difyd up: looks again, once the release that made it is below releases.source and its api "
         "image is on the engine"});
  }
  if (!asked)
    return hold("no version is configured and nothing is deployed: set version in the configuration");
  return {start_action::install, asked, {}, {}, {}};
}

start_choice disagreement(const start_facts& facts) {
  const std::string deployed = facts.deployed->text();
  if (facts.database->empty())
    return hold(
        "the ledger names version " + deployed + " but the database is empty: is this the right database?",
        {"difyd up: looks again, once the right database is given or restored"});
  std::vector<std::string> options;
  for (const auto& each : facts.fitting)
    if (options.size() < most_options)
      options.push_back("difyd repin " + each.text() + ": makes " + each.text() +
                        ", whose schema this is, the deployed version and starts it; what " + deployed +
                        " wrote since is not in this database");
  const std::string of = facts.fitting.empty() ? "no release that is known here"
                         : facts.fitting.front() < *facts.deployed
                             ? "the older " + facts.fitting.front().text()
                             : facts.fitting.front().text();
  if (options.empty())
    options.push_back("difyd up: looks again, once the right database is given or restored");
  return hold("the database holds revision " + facts.database->id + ", the head of " + of + ", but version " +
                  deployed + " was committed with revision " + facts.ledger_revision.id,
              std::move(options));
}

}  // namespace

bool disagree(const start_facts& facts) {
  if (!facts.database || facts.in_flight) return false;
  if (!facts.deployed) return !facts.database->empty();
  return *facts.database != facts.ledger_revision;
}

start_choice choose_start(const start_facts& facts) {
  const auto asked = newest(facts.configured, facts.metadata);
  if (facts.in_flight && facts.held) return hold("the upgrade to " + facts.in_flight->text() + " is held");
  if (facts.in_flight) return {start_action::resume, facts.in_flight, {}, {}, {}};
  if (!facts.deployed) return without_ledger(facts, asked);
  if (disagree(facts)) return disagreement(facts);
  // A stack that falls is no occasion for downtime that was refused or undone before.
  if (asked && *asked > *facts.deployed && !facts.settled)
    return {facts.at_hand ? start_action::upgrade : start_action::run_then_upgrade, asked, {}, {}, {}};
  start_choice run{start_action::run, facts.deployed, {}, {}, {}};
  if (asked && *asked < *facts.deployed)
    run.warning = "version " + asked->text() + " is configured but " + facts.deployed->text() +
                  " is deployed: versions only go forward, the configured one is ignored";
  return run;
}

duration pause_before_start(int failed) {
  constexpr duration first = std::chrono::seconds(2), longest = std::chrono::seconds(60);
  return std::min(first * (1 << std::clamp(failed, 0, 5)), longest);
}

}  // namespace difyd::supervisor
