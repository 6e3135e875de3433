// What the parts of the supervisor share: the configuration, the connections, and the cells
// through which they know of each other. One owner per value; others read snapshots.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backup_manifest.hpp"
#include "configured.hpp"
#include "difyd/base/cell.hpp"
#include "difyd/base/lane.hpp"
#include "difyd/config/settings.hpp"
#include "difyd/control/wire.hpp"
#include "difyd/database/lease.hpp"
#include "difyd/database/server.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/front/published.hpp"
#include "difyd/health/board.hpp"
#include "difyd/health/heal.hpp"
#include "difyd/health/policy.hpp"
#include "difyd/host/share.hpp"
#include "difyd/host/systemd.hpp"
#include "difyd/ledger/book.hpp"
#include "difyd/model/phase.hpp"
#include "difyd/release/working_copy.hpp"
#include "difyd/stack/observed.hpp"
#include "difyd/upgrade/guard.hpp"
#include "director.hpp"
#include "event_log.hpp"
#include "waiting.hpp"

namespace difyd::supervisor {

// Where the daemon stands, for people.
struct standing {
  phase at = phase::starting;
  std::string message;
  std::vector<std::string> options;  // in hold: commands with their consequences, three at most
  wall_time since{};
};

using release_ptr = std::shared_ptr<const release::release>;

// A run of the migrator in this process.
struct running_migration {
  std::string upgrade;
  std::string session;  // application_name
  wall_time begun{};
  std::chrono::steady_clock::time_point last_output{};
  std::string blocked{};  // the newest sentence about who blocked it
};

// What an operator's `difyd maintenance on` said.
struct operator_maintenance {
  std::string reason;  // shown to visitors; may be empty
  wall_time since{};
  bool ending = false;  // nginx is being brought up again
};

// The step of an upgrade or a restore that began last, for those who watch.
struct begun_step {
  std::string name;
  std::chrono::milliseconds at{};  // boot_time()
};

// The last look of a probe that came to its end.
struct probe_run {
  duration took{};
  wall_time ended{};
  std::vector<finding> found{};  // undamped
  std::uint64_t number = 0;
};

// A download of a release that failed.
struct failed_fetch {
  version which;
  std::chrono::steady_clock::time_point at;
  Error error;
};

// Attempts to mount the storage; forgotten once it is proven.
struct mount_memory {
  int attempts = 0;
  std::chrono::steady_clock::time_point not_before{};
  std::optional<Error> last;
};

struct world {
  world(asio::any_io_executor executor, config::settings settings, http::endpoint engine_at);

  asio::any_io_executor executor;
  const config::settings settings;
  const wall_time started = std::chrono::system_clock::now();

  engine::client engine;
  lane files;   // blocking work on bundles and working copies
  lane chores;  // what takes minutes there and nothing else waits for
  host::share storage;
  host::systemd units;
  event_log events;
  director chief;
  director aside;  // what changes nothing of the stack: rehearsals, backups by hand and their verification

  health::board board;  // what each probe last found, damped; published as `findings`

  // Made as soon as what they need is there; others copy the pointer before they wait.
  std::shared_ptr<database::server> database;
  std::shared_ptr<database::lease> lease;
  std::shared_ptr<database::server> vector_database;
  std::unique_ptr<ledger::book> book;

  cell<standing> stands;                // owner: whoever runs an operation
  cell<release_ptr> in_force;           // the release whose stack should be up; null before
  cell<stack::observed> observed;       // owner: watching
  cell<std::vector<finding>> findings;  // owner: probing
  cell<verdict> given;                  // owner: judging
  cell<health::memory> replacements;    // owner: replacing
  cell<std::optional<health::replacement>> replacement_wanted;  // owner: judging
  cell<bool> migrator_seen;                                     // a session of any machine's migrator exists
  cell<std::optional<front::maintenance_page>> page;            // set while difyd-health holds nginx's port
  cell<std::string> schema;  // revision of the main database when last read
  cell<std::string> lease_text;
  cell<std::optional<control::operation_status>> operation;  // the running or the last one
  cell<std::vector<backup_manifest>> backups;                // of the storage root, oldest first
  cell<bool> abort_asked;                                    // of the upgrade that runs
  cell<std::optional<upgrade::guarded>> guarded;             // from the proof of silence to the commit
  cell<bool> container_started;                              // set with every start of one of the project
  bool watches = false;                        // whether this process follows the engine's events at all
  bool events_open = false;                    // and whether they come
  health::heal_history healed;                 // restarts of services, and of the engine's unit by its name
  std::optional<std::string> engine_given_up;  // restarts of the engine's unit did not help, and why
  std::optional<bool> set_up;                  // whether Dify was ever set up, once the storage was asked
  // Dify was up in this run of the daemon: what falls is brought up again as it is, not upgraded.
  bool settled = false;
  int failed_starts = 0;  // in a row, in which a service did not come up
  configuration_files configuration;  // what the settings were read from; empty outside of the daemon
  std::optional<Error> invalid_configuration;  // why the last good one is used, and nothing is started
  std::optional<Error> refused;                // why the start did not upgrade to the wanted version
  std::optional<std::string> share;            // identity of the storage, "" before it has one
  std::optional<version> local;             // deployed here by the local copy of a ledger that is not there
  std::vector<std::string> edited_bundle;   // files of the deployed release's bundle that are not as deployed
  std::vector<std::string> edited_overlay;  // files of the overlay that are not as it was taken in
  std::optional<Error> not_kept;            // why the share does not keep what is deployed
  std::optional<failed_fetch> not_fetched;  // the last one
  std::string data_root;                    // the engine's, once it was asked
  mount_memory mounting;
  bool dead_mounts = false;  // the storage did not answer: containers may hold a dead mount of it
  waiting waits;             // of the operation that runs
  std::optional<std::chrono::steady_clock::time_point> step_began;  // of the upgrade that runs
  std::optional<running_migration> migrating;                       // while a migrator may run
  std::string command;                                              // of an advisory, while it runs
  std::optional<operator_maintenance> maintenance;                  // while it is on
  begun_step step;                                                  // owner: publishing
  bool own_page = false;                                            // the operator's page is published
  std::map<std::string, probe_run> probe_runs;                      // by the probe's name
  cell<std::set<std::string>> looking;                              // owner: probing; the probes at work
};

// Sets the phase and tells everybody.
void stand(world& w, phase at, std::string message = {}, std::vector<std::string> options = {});

// Dify was up and does not answer any more; the start brings it back.
bool fallen(const world& w);

// The stopped marker of `difyd down` survives a restart of the daemon.
bool stopped_by_operator(const world& w);
Result<> set_stopped_by_operator(const world& w, bool stopped);

}  // namespace difyd::supervisor
