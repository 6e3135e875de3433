#include "start_choice.hpp"

#include <algorithm>

namespace difyd::supervisor {
namespace {

std::optional<version> newest(std::optional<version> a, const std::optional<version>& b) {
  if (!a) return b;
  return b && *b > *a ? b : a;
}

start_choice hold(std::string reason) { return {start_action::hold, std::nullopt, std::move(reason), {}}; }

start_choice without_ledger(const start_facts& facts, const std::optional<version>& asked) {
  if (!asked)
    return hold("no version is configured and nothing is deployed: set version in the configuration");
  if (facts.database && !facts.database->empty())
    return hold(
        "the database holds revision " + facts.database->id +
        " but the storage root has no ledger: they do not belong together, or the installation was made by "
        "other means");
  return {start_action::install, asked, {}, {}};
}

}  // namespace

start_choice choose_start(const start_facts& facts) {
  const auto asked = newest(facts.configured, facts.metadata);
  if (facts.in_flight && facts.held) return hold("the upgrade to " + facts.in_flight->text() + " is held");
  if (facts.in_flight) return {start_action::resume, facts.in_flight, {}, {}};
  if (!facts.deployed) return without_ledger(facts, asked);
  if (facts.database && facts.database->empty() && !facts.ledger_revision.empty())
    return hold("the ledger names version " + facts.deployed->text() +
                " but the database is empty: is this the right database?");
  if (facts.database && *facts.database != facts.ledger_revision)
    return hold("the database holds revision " + facts.database->id + " but version " +
                facts.deployed->text() + " was committed with revision " + facts.ledger_revision.id);
  // A stack that falls is no occasion for downtime that was refused or undone before.
  if (asked && *asked > *facts.deployed && !facts.settled) return {start_action::upgrade, asked, {}, {}};
  start_choice run{start_action::run, facts.deployed, {}, {}};
  if (asked && *asked < *facts.deployed)
    run.warning = "version " + asked->text() + " is configured but " + facts.deployed->text() +
                  " is deployed: versions only go forward, the configured one is ignored";
  return run;
}

}  // namespace difyd::supervisor
