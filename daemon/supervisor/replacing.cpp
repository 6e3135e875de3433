#include "replacing.hpp"

#include <algorithm>

#include "difyd/base/log.hpp"
#include "difyd/health/judge.hpp"
#include "difyd/health/replacement_book.hpp"
#include "difyd/host/machine.hpp"
#include "difyd/host/metadata.hpp"
#include "judging.hpp"
#include "links.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::seconds;

// A repaired instance keeps its name, often its machine id too where the image has one; not its id.
task<std::string> name_of_machine() {
  auto identity = host::identify_machine();
  const auto metadata = co_await host::read_instance_metadata();
  if (!metadata) co_return std::string();
  if (*metadata) identity.instance_id = (*metadata)->instance_id;
  co_return identity.unique();
}

task<health::replacement_places> places(world& w) {
  health::replacement_places where;
  if (co_await prove_storage(w)) where.share = w.storage;
  where.database = w.database;
  where.own_database = w.settings.database.lease;
  where.main_database = w.settings.database.main;
  co_return where;
}

health::memory unknown(std::string machine, std::string why) {
  health::memory memory;
  memory.machine = std::move(machine);
  memory.why_not = std::move(why);
  return memory;
}

task<health::memory> read_memory(world& w, std::string machine) {
  if (machine.empty()) co_return unknown({}, "the metadata server does not say which machine this is");
  if (dies_with_the_machine(w.settings))
    co_return unknown(std::move(machine),
                      "Dify's files are on this machine's own disk (storage.kind: local)");
  const auto where = co_await places(w);
  const auto asked =
      co_await health::read_replacements(where, policy_of(w.settings), std::chrono::system_clock::now());
  if (!asked) co_return unknown(std::move(machine), "the record of earlier replacements cannot be read");
  health::memory memory;
  memory.known = true;
  memory.machine = std::move(machine);
  memory.asked = *asked;
  co_return memory;
}

// Another machine may have asked since the record was read.
task<void> ask_for_another(world& w) {
  w.replacements.set(co_await read_memory(w, w.replacements.get()->machine));
  auto memory = *w.replacements.get();
  const auto judged = health::judge(*w.findings.get(), situation_of(w), policy_of(w.settings),
                                    std::chrono::system_clock::now(), memory);
  if (!judged.record) co_return;
  const auto where = co_await places(w);
  const auto written = co_await health::write_replacement(where, *judged.record);
  if (!written) {
    log::error("verdict", "no new machine is asked for", {{"cause", written.error().message}});
    co_return;
  }
  memory.asked.push_back(*judged.record);
  w.replacements.set(std::move(memory));
  w.events.tell("", "verdict", judged.record->finding, "done",
                "a new machine is asked for: " + judged.record->finding);
  publish_now(w);
}

// The journal's entry protects the machine as well where this process did not begin the migration.
std::optional<wall_time> migrate_begun(const world& w) {
  if (w.migrating) return w.migrating->begun;
  const auto* flight = w.book && w.book->current().in_flight ? &*w.book->current().in_flight : nullptr;
  if (!flight) return std::nullopt;
  std::optional<wall_time> begun;
  for (const auto& entry : flight->entries)
    if (entry.step == "migrate" && entry.state == ledger::entry_state::begin) begun = entry.at;
  return begun;
}

task<Result<>> next_wish(world& w, std::uint64_t seen) {
  co_await w.replacement_wanted.changed(seen);
  co_return Result<>{};
}

}  // namespace

bool dies_with_the_machine(const config::settings& settings) { return settings.storage.kind == "local"; }

health::policy policy_of(const config::settings& settings) {
  const auto& wanted = settings.health;
  health::policy rules;
  rules.replace_grace = duration_cast<seconds>(wanted.grace);
  rules.replace_at_most_every = duration_cast<seconds>(wanted.replacement_interval);
  rules.migrate_window = duration_cast<seconds>(wanted.migrate_assumed);
  rules.unready_grace = duration_cast<seconds>(wanted.unready_grace);
  rules.start_bound = duration_cast<seconds>(wanted.starting_bound);
  return rules;
}

health::situation situation_of(const world& w) {
  health::situation now;
  now.current = w.stands.get()->at;
  now.phase_since = w.stands.get()->since;
  now.maintenance = w.maintenance.has_value();
  now.configuration_valid = !w.invalid_configuration;
  now.migrate_begun = migrate_begun(w);
  now.migrator_session = w.migrating.has_value() || *w.migrator_seen.get();
  return now;
}

task<void> keep_replacements(world& w) {
  std::string machine;
  for (;;) {
    if (machine.empty()) machine = co_await name_of_machine();
    w.replacements.set(co_await read_memory(w, machine));
    const auto seen = w.replacement_wanted.version();
    if (w.replacement_wanted.get()->has_value()) co_await ask_for_another(w);
    // A wish that could not be written down is tried again.
    const bool settled = w.replacements.get()->known && !w.replacement_wanted.get()->has_value();
    const duration next = settled ? 10min : 20s;
    (void)co_await with_deadline(next_wish(w, seen), next, "be asked for a replacement");
  }
}

std::vector<finding> replacement_findings(const health::memory& memory, const health::policy& rules,
                                          wall_time now) {
  std::vector<finding> found;
  for (const auto& each : memory.asked) {
    if (now - each.asked >= rules.replace_at_most_every) continue;
    const bool here = each.machine == memory.machine;
    found.push_back({"machine", here ? "replacement-asked" : "replacement-made", severity::info,
                     (here ? "a new machine was asked for at " : "this machine replaces another since ") +
                         to_rfc3339(each.asked) + ": " + each.finding,
                     here ? "Where none comes, look at the autohealer; or mend it here: difyd check"
                          : "If it is here too, it is no fault of one machine: mend what it names",
                     false, each.asked});
  }
  return found;
}

}  // namespace difyd::supervisor
