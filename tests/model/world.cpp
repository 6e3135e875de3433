#include "world.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace difyd::modelled {
namespace {

bool uses_database(role what) { return what == role::worker || what == role::api; }

const char* to_text(role what) {
  static constexpr std::array names{"data", "worker", "api", "nginx", "migrator"};
  return names[static_cast<std::size_t>(what)];
}

std::string text(const container& one) {
  return std::string(to_text(one.what)) + " " + std::to_string(one.version) +
         (one.machine ? " of the second machine" : "") + (one.foreign ? " of a human" : "");
}

}  // namespace

const char* to_text(event value) {
  static constexpr std::array<const char*, events> names{
      "crash", "crash+human", "crash+restore", "reboot", "replaced", "dockerd",     "database",
      "human", "stranger",    "share",         "abort",  "takeover", "fix-release", "frozen"};
  return names[static_cast<std::size_t>(value)];
}

const char* to_text(defect value) {
  static constexpr std::array names{"none",
                                    "impatient",
                                    "no_silence",
                                    "no_wait",
                                    "sessions_only",
                                    "no_lease",
                                    "lies_about_share",
                                    "no_guard",
                                    "no_fence",
                                    "put_back_unproven",
                                    "start_unproven",
                                    "catalog_forgotten",
                                    "put_back_mixes",
                                    "journal_believed",
                                    "unsettled_write",
                                    "two_data_services",
                                    "data_unmarked",
                                    "inherited_forgotten",
                                    "begins_empty",
                                    "puts_back_past_return",
                                    "two_attempts_more",
                                    "kept_late"};
  return names[static_cast<std::size_t>(value)];
}

world::world(scenario what) : plan(what) {
  for (const auto each : {role::data, role::worker, role::api, role::nginx})
    if (each != role::data || plan.bundled) containers.push_back({each});
  ledger::deployment one;
  one.version = {1, 1, 0, {}};
  one.revision = {std::to_string(revision)};
  share.deployed = one;
}

int world::head(int version) const {
  if (version == 1) return 10;
  if (version == 2) return plan.how == migration::nothing ? 10 : 12;
  return 13;
}

bool world::reachable(int machine) const {
  if (database_away > 0 || (cut_off && machine == 0)) return false;
  return !plan.bundled || std::ranges::any_of(containers, [&](const container& one) {
    return one.what == role::data && one.running && one.machine == machine;
  });
}

bool world::healthy(const container& one) const {
  if (!one.running || (uses_database(one.what) && !one.connected)) return false;
  if (one.version != 2 || !uses_database(one.what)) return true;
  return plan.up == coming_up::well || (plan.up == coming_up::second_time && starts_of_new > 1);
}

bool world::migrating() const {
  return backend > 0 || std::ranges::any_of(containers, [](const container& one) {
           return one.what == role::migrator && one.running;
         });
}

bool world::sessions() const {
  return stranger > 0 || std::ranges::any_of(containers, [](const container& one) {
           return uses_database(one.what) && one.connected;
         });
}

bool world::guarded() const {
  if (!share.in_flight) return false;
  return std::ranges::any_of(share.in_flight->entries,
                             [](const auto& entry) { return entry.step == "stop"; });
}

container* world::find(int machine, role what, int version) {
  for (auto& one : containers)
    if (one.machine == machine && one.what == what &&
        (what != role::data || image(one.version) == image(version)))
      return &one;
  return nullptr;
}

void world::stop(container& one) {
  // The server notices the end of a client late: what it was doing may still commit.
  if (one.what == role::migrator && one.moving && database_away == 0) {
    backend = 2;
    backend_version = one.version;
  }
  if (one.what == role::migrator && one.running) one.exit = 137;
  one.running = one.connected = one.moving = false;
}

void world::note(const std::string& line) {
  if (tracing) trace += std::to_string(point) + ": " + line + "\n";
}

void world::violated(const std::string& what) const { throw violation(what); }

// `flask db upgrade` on the database as it is, one commit at a point.
void world::migrate_on(container& one) {
  const auto commit = [&](int to) {
    note("migrator commits " + std::to_string(to));
    revision = to;
    ++catalog;
  };
  if (one.version == 2 && plan.how == migration::refuses) {
    one.exit = 1;
  } else if (one.version == 2 && plan.how == migration::catalog_only) {
    if (catalog == left_catalog) {
      note("migrator commits DDL without a revision");
      ++catalog;
    } else {
      one.exit = 1;
    }
  } else if (revision >= head(one.version)) {
    one.exit = 0;
  } else if (one.version == 2 && plan.how != migration::transactional && revision < 11) {
    commit(11);
  } else if (one.version == 2 && plan.how == migration::halfway) {
    one.exit = 1;
  } else {
    commit(head(one.version));
  }
}

void world::tick() {
  if (database_away > 0) --database_away;
  if (dockerd_away > 0) --dockerd_away;
  if (stranger > 0) --stranger;
  if (backend > 0 && --backend == 0 && database_away == 0) {
    container late{role::migrator, backend_version};
    migrate_on(late);
  }
  for (auto& one : containers) {
    if (!one.running) continue;
    if (uses_database(one.what)) one.connected = reachable(one.machine);
    if (one.what != role::migrator) continue;
    if (one.boot > 0 && --one.boot > 0) continue;
    if (!reachable(one.machine)) {
      one.exit = 1;
    } else if (!one.connected) {
      one.connected = one.moving = true;
      one.work = 3;
    } else if (--one.work == 0) {
      migrate_on(one);
      one.work = 3;
    }
    if (one.exit >= 0) one.running = one.connected = one.moving = false;
  }
}

// DESIGN, "From stop to commit a guard runs": what is started by others is removed before it connects.
void world::guard() {
  if (!guarded()) return;
  for (auto& one : containers)
    if (one.foreign && one.running) ++one.rounds;
  if (wrong == defect::no_guard) return;
  std::erase_if(containers, [](const container& one) { return one.foreign; });
}

// Excused is what a human started and no guard has had time to see.
void world::check() const {
  std::set<int> versions;
  int data = 0;
  bool migrator = backend > 0, app = false;
  for (const auto& one : containers) {
    if (!one.running || (one.foreign && one.rounds < 3)) continue;
    if (one.what == role::data) ++data;
    if (!one.connected) continue;
    migrator = migrator || one.what == role::migrator;
    if (!uses_database(one.what)) continue;
    app = true;
    versions.insert(one.version);
  }
  if (versions.size() > 1) violated("two versions have sessions on one database");
  if (migrator && app) violated("a version has sessions while a migrator is at work");
  if (data > 1) violated("two services run on one data directory");
}

void world::pass(int machine, const char* what) {
  if (machine == 1) {
    // The second machine's points are not the script's: it runs, or dies, in one act.
    tick();
    check();
    note(std::string("  second machine: ") + what);
    if (second_dies && --*second_dies <= 0) throw crashed{1};
    return;
  }
  ++point;
  if (point > 4000) violated("it never comes to an end");
  note(what);
  tick();
  for (std::size_t i = 0; i < acts.size(); ++i)
    if (acts[i].point == point) happen(acts[i]);
  guard();
  check();
}

void world::let_go(int points) {
  while (points-- > 0) tick();
}

void world::lose_sessions() {
  lease = -1;
  backend = 0;
  for (auto& one : containers) one.connected = one.moving = false;
}

void world::human() {
  for (const auto each : {role::data, role::worker, role::api, role::nginx}) {
    if (each == role::data && !plan.bundled) continue;
    auto* one = find(0, each, 1);
    if (one && same(*one, 1) && one->running) continue;
    if (one)
      *one = {each};
    else
      one = &containers.emplace_back(container{each});
    one->foreign = one->always = true;
  }
}

void world::reboot(bool engine_only) {
  for (auto& one : containers)
    if (one.machine == 0) {
      stop(one);
      // A migrator has no policy; docker starts `always` ones, also those that were stopped.
      if (one.always) one.running = true;
    }
  if (plan.bundled) lose_sessions();
  if (engine_only) return;
  if (lease == 0) lease = -1;
  throw crashed{0};
}

// Machine 0 is cut off from the database for longer than the inheritance rules ask for: its sessions
// are gone. difyd must have stopped what runs by then and ended itself; asleep it finds out afterwards.
void world::take_over(int dies, bool asleep) {
  if (plan.bundled || (asleep && lease != 0)) return;
  cut_off = true;
  for (auto& one : containers)
    if (one.machine == 0) {
      if (one.what == role::migrator && one.running) stop(one);
      one.connected = false;
    }
  if (lease == 0) lease = -1;
  const bool fenced = wrong != defect::no_fence, proven = asleep && silence;
  for (auto& one : containers)
    if (one.machine == 0 && (fenced || asleep)) stop(one);
  let_go(3);
  second(*this, dies);
  silence = proven && owner == 0;
  cut_off = false;
  if (fenced && !asleep) throw crashed{0};
}

void world::happen(const act& what) {
  note(std::string("*** ") + to_text(what.what) + " " + std::to_string(what.arg));
  switch (what.what) {
    case event::crash:
    case event::crash_human:
    case event::crash_restore:
      if (lease == 0) lease = -1;
      alive = false;
      if (what.what == event::crash_human && share.in_flight) human();
      let_go(what.arg);
      if (what.what == event::crash_restore && share.in_flight && !migrating()) {
        revision = left_revision;
        catalog = left_catalog;
      }
      throw crashed{0};
    case event::reboot:
      return reboot(false);
    case event::replaced:
      sources[0].clear();
      std::erase_if(containers, [](const container& one) { return one.machine == 0; });
      if (lease == 0) lease = -1;
      throw crashed{0};
    case event::dockerd:
      reboot(true);
      dockerd_away = 1 + what.arg;
      return;
    case event::database:
      if (plan.bundled) return;
      lose_sessions();
      database_away = 1 + what.arg;
      return;
    case event::human:
      if (share.in_flight) human();
      return;
    case event::stranger:
      stranger = 1 + what.arg;
      return;
    case event::share:
      share_away = 1 + what.arg % 4;
      share_lands = what.arg >= 4;
      return;
    case event::abort:
      abort = true;
      return;
    case event::takeover:
    case event::frozen:
      return take_over(what.arg, what.what == event::frozen);
    case event::fix_release:
      fix = true;
      return;
  }
}

void world::starting(const container& one) {
  const std::string name = text(one);
  if (lease != one.machine && (lease >= 0 || reachable(one.machine)) && !plan.bundled)
    violated(name + " is started without the lease");
  if (one.what == role::data) {
    if (image(one.version) < data_image)
      violated(name + " is started on data that a newer image has touched");
    data_image = std::max(data_image, image(one.version));
    return;
  }
  if (one.what == role::migrator) {
    if (!silence) violated("a migrator is started without proof of silence");
    if (migrating()) violated("a migrator is started beside another one");
    return;
  }
  if (migrating()) violated(name + " is started while a migrator is at work");
  if (revision != head(one.version)) violated(name + " is started on revision " + std::to_string(revision));
  if (one.version == 1 && catalog != left_catalog) violated(name + " is started on a catalog that has moved");
  silence = false;
}

void world::entering(int machine, upgrade::step at) {
  if (at <= upgrade::step::prepare) return;
  if (lease >= 0 && lease != machine) violated("a step begins while another machine has the lease");
  if (!share.in_flight || share.in_flight->entries.empty()) violated("a step begins without a journal");
  const auto& entries = share.in_flight->entries;
  const std::string name(upgrade::to_text(at));
  if (entries.back().step != name || entries.back().state != ledger::entry_state::begin)
    violated("step " + name + " begins without a durable entry");
  int begun = 0, failed = 0, done = 0;
  bool irreversible = false;
  for (const auto& entry : entries) {
    irreversible = irreversible || entry.irreversible;
    if (entry.step != name) continue;
    begun += entry.state == ledger::entry_state::begin;
    failed += entry.state == ledger::entry_state::failed;
    done += entry.state == ledger::entry_state::done;
  }
  if (failed >= upgrade::max_attempts) violated("step " + name + " is entered after three failures");
  if (begun - failed - done > upgrade::max_interruptions)
    violated("step " + name + " is entered after too many interruptions");
  if (at == upgrade::step::put_back && irreversible)
    violated("the way back is taken past the point of no return");
}

void world::writing(int machine, const ledger::record& next) {
  if (lease >= 0 && lease != machine) violated("the ledger is written while another machine has the lease");
  if (!unknown_landing && next.deployed->version < share.deployed->version)
    violated("the ledger forgets a committed version");
  if (next.deployed->revision.id != std::to_string(head(next.deployed->version.minor)))
    violated("the ledger commits a revision that is not the head");
  // An entry never vanishes but with its upgrade, which leaves a line in the history.
  if (!share.in_flight || unknown_landing) return;
  const bool same = next.in_flight && next.in_flight->id == share.in_flight->id;
  const bool told =
      std::ranges::any_of(next.history, [&](const auto& line) { return line.id == share.in_flight->id; });
  if (!same && !told) violated("the ledger forgets an upgrade in flight");
  const auto past_return = [](const ledger::journal& journal) {
    return std::ranges::any_of(journal.entries, [](const auto& entry) { return entry.irreversible; });
  };
  replaced_past_return = (same && replaced_past_return) || (!same && past_return(*share.in_flight));
  if (replaced_past_return && same && !past_return(*next.in_flight))
    violated("the point of no return of a held upgrade is forgotten");
}

}  // namespace difyd::modelled
