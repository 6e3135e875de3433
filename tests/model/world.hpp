// The world of an upgrade, as far as its safety depends on it: containers, one database, the share,
// two machines, and what may happen to them at any point. Time is counted in points: after each,
// what goes on by itself moves on, acts of the script happen, and the invariants are checked.
//
// A script fixes what happens at which point, so every run can be repeated.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "difyd/ledger/book.hpp"
#include "difyd/upgrade/step.hpp"

namespace difyd::modelled {

enum class migration {
  moves,          // an autocommit revision, then the head
  transactional,  // all or nothing
  nothing,        // both versions have the same head
  refuses,        // fails before anything moved
  halfway,        // fails after the autocommit revision
  catalog_only    // fails after DDL that is committed and has no revision
};
enum class coming_up { well, second_time, never };

struct scenario {
  migration how = migration::moves;
  coming_up up = coming_up::well;
  bool bundled = false;        // the database is a service of the stack
  bool replaces_data = false;  // ... which the new version renames and gives a new image
  bool by_boot = false;        // the configuration asks for the new version, not an operator
  bool to_fetch = false;       // ... and what it needs is not on the machine
};

// What may happen at a point.
enum class event {
  crash,          // difyd is killed and starts again after `arg` points
  crash_human,    // the same, and meanwhile a human runs `docker compose up -d` in the old version
  crash_restore,  // the same, and meanwhile the database is put back to what the old version left
  reboot,         // the machine goes down and comes up; what has restart policy `always` starts
  replaced,       // a new machine with an empty disk takes the place of ours
  dockerd,        // dockerd is killed and starts again; away for `arg` points
  database,       // PostgreSQL is away for `arg` points; its sessions end
  human,          // a human runs `docker compose up -d` in the old version while difyd runs
  stranger,       // `arg` points with a session of the Dify role from somewhere else
  share,          // the next writes fail: arg % 4 of them, from 4 on although they landed
  abort,          // `difyd abort`
  takeover,       // our machine is cut off; a second one inherits, ends after `arg` points (0: stays)
  fix_release,    // an operator asks for version 3 in a hold
  frozen          // as takeover, but our difyd sleeps meanwhile and wakes up where it was
};
inline constexpr int events = 14;
const char* to_text(event value);

struct act {
  int point = 0;
  event what = event::crash;
  int arg = 0;
};
using script = std::vector<act>;  // by point

// What a difyd may do wrong, one at a time: the invariants must find each.
enum class defect {
  none,
  impatient,              // a step is entered whatever is away: not unsafe, but its attempts are used up
  no_silence,             // the migrator is started without the proof
  no_wait,                // ... beside an earlier migrator that is still at work
  sessions_only,          // an earlier migrator is looked for in the database only, not on the engine
  no_lease,               // ... without the lease
  lies_about_share,       // an entry that could not be written passes as written
  no_guard,               // what a human starts is left alone
  no_fence,               // a machine that lost the lease goes on
  put_back_unproven,      // the old version is started unless the revision is read and differs
  start_unproven,         // the new version is started without looking at the revision
  catalog_forgotten,      // the catalog is compared with that of the last entry into migrate
  put_back_mixes,         // the old version is started beside what runs of the new one
  journal_believed,       // what an earlier process brought up is taken to run
  unsettled_write,        // a write that failed and landed all the same is left as it is
  two_data_services,      // the new data service is started beside the old one
  data_unmarked,          // the start of a changed data service is journaled only by the end of its step
  inherited_forgotten,    // a release that replaces a held one does not know of its point of no return
  begins_empty,           // a journal is begun without its first entry
  puts_back_past_return,  // `next` goes back although something irreversible happened
  two_attempts_more,      // `next` enters a failed step five times
  kept_late               // the share keeps the new release only at the commit
};
inline constexpr int defects = static_cast<int>(defect::kept_late);
const char* to_text(defect value);

enum class role { data, worker, api, nginx, migrator };

struct container {
  role what = role::api;
  int version = 1;
  int machine = 0;
  bool running = true;
  bool always = false;     // restart policy
  bool foreign = false;    // started by somebody else
  bool connected = false;  // has sessions
  int rounds = 0;          // of a foreign one: points that it outlived where a guard should have seen it
  int boot = 0;            // of a migrator: points until it connects
  int work = 0;            // ... and until its next commit
  bool moving = false;     // of a migrator: has begun what it commits at the next point
  int exit = -1;
};

struct crashed {
  int machine = 0;
};
struct violation : std::runtime_error {
  using runtime_error::runtime_error;
};

struct world {
  scenario plan;
  script acts;
  defect wrong = defect::none;
  bool tracing = false;

  // The engine of each machine.
  std::vector<container> containers;
  int dockerd_away = 0;
  // The database. `left_*`: what the old version left.
  int revision = 10, catalog = 100, left_revision = 10, left_catalog = 100;
  int data_image = 1;     // the newest image that ran on the data directory
  int database_away = 0;  // points
  int stranger = 0;       // points
  int backend = 0;        // points that a migrator without a container is still at work
  int backend_version = 0;
  int lease = -1;        // machine that holds it
  int owner = 0;         // ... or had it last
  bool cut_off = false;  // machine 0 cannot reach the database
  // The share, with the releases that it keeps; `sources`: those that each machine has by other means.
  ledger::record share;
  std::set<int> kept{1}, sources[2]{{1}, {}};
  int share_away = 0;  // writes that fail
  bool share_lands = false;
  bool unknown_landing = false;       // what the share holds was reported as not written
  bool replaced_past_return = false;  // the upgrade in flight replaces a held one that had passed it

  int point = 0;
  bool alive = false;  // a difyd runs on machine 0
  bool abort = false;
  bool asked = false;              // for version 2, by an operator
  bool fix = false;                // version 3 is asked for in a hold
  std::optional<int> second_dies;  // points that the second machine has left
  int starts_of_new = 0;           // how often version 2 was brought up
  bool silence = false;            // proven by the difyd that runs, and nothing was started since
  bool second_holds = false;
  std::function<void(world&, int dies)> second;  // boots and runs difyd on machine 1
  std::string trace;

  explicit world(scenario what);

  int head(int version) const;
  int image(int version) const { return plan.replaces_data && version >= 2 ? 2 : 1; }
  // Whether a container is what the version wants: data services may be the same in two.
  bool same(const container& one, int version) const {
    return one.what == role::data ? image(one.version) == image(version) : one.version == version;
  }
  bool reachable(int machine) const;
  bool healthy(const container& one) const;
  bool migrating() const;  // a migrator runs, or works on without a container
  bool sessions() const;   // other than migrators'
  bool has_release(int machine, int version) const {
    return kept.contains(version) || sources[machine].contains(version);
  }
  bool guarded() const;  // an upgrade is in flight from stop on
  container* find(int machine, role what, int version);
  void stop(container& one);

  // One point of the difyd on `machine`. Throws crashed and violation.
  void pass(int machine, const char* what);
  // Points without a difyd on machine 0.
  void let_go(int points);
  void note(const std::string& line);
  [[noreturn]] void violated(const std::string& what) const;

  // The invariants that belong to what difyd does.
  void starting(const container& one);
  void entering(int machine, upgrade::step at);
  void writing(int machine, const ledger::record& next);

 private:
  void tick();
  void guard();
  void check() const;
  void happen(const act& what);
  void human();
  void reboot(bool engine_only);
  void take_over(int dies, bool asleep);
  void migrate_on(container& one);
  void lose_sessions();
};

}  // namespace difyd::modelled
