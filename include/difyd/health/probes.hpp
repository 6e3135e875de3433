// The probes beside those of host: engine, PostgreSQL, Redis, the stack's services and the
// published port. Each is bounded; the judge_… halves are pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "difyd/database/server.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/host/api_request.hpp"
#include "difyd/host/probes.hpp"
#include "difyd/model/finding.hpp"
#include "difyd/stack/observed.hpp"

namespace difyd::health {

using findings = std::vector<finding>;

// ---- engine: subject "engine" -------------------------------------------------------------
// Codes: engine-ok, engine-slow, engine-away, engine-unusable (too old, too new, refused).
finding judge_engine(const Result<engine::engine_version>& version, duration took);
task<findings> probe_engine(std::shared_ptr<engine::client> client);

// ---- PostgreSQL: subjects "database.main", "database.plugin", "database.vector" ------------
struct database_target {
  std::string subject = "database.main";
  database::endpoint where;
  std::string name;                          // the database that must exist
  std::string plugin;                        // must exist or be creatable by the role; empty: not asked
  bool needs_vector = false;                 // extension vector, installed or installable
  bool has_revision = false;                 // name alembic_version in the detail
  std::string expected_revision;             // that of the image in force; empty: not compared
  bool through_network = false;              // not a container of this machine: TLS is worth a word
  std::shared_ptr<database::server> server;  // reused where given, else one for this probe alone
};

// Codes: database-ok, database-read-only, connections-low, database-silent (a black hole, a frozen server),
// database-old, database-plain (no TLS), revision-differs, revision-ambiguous, revision-unknown,
// plugin-database-ok, plugin-database-missing, plugin-database-creatable, vector-ok, vector-creatable,
// vector-missing, and those of database/server.hpp.
findings judge_database(const database_target& target, const Result<database::server_facts>& server,
                        const Result<database::database_facts>& inside, const Result<revision>& at);
task<findings> probe_database(database_target target);

// ---- Redis: subject "redis" ----------------------------------------------------------------
struct redis_target {
  std::string host;
  std::uint16_t port = 6379;
  std::string user;      // empty: the default user
  std::string password;  // empty: no AUTH; never in findings
  bool tls = false;      // its certificate is not checked
};

struct redis_facts {
  std::string version;
  std::string role;           // "master", "slave"
  std::string memory_policy;  // "noeviction", "allkeys-lru", …
  std::uint64_t memory_used = 0;
  std::uint64_t memory_max = 0;  // 0: no limit
};

// Errors: "redis-away", "redis-auth", "redis-loading", "redis-failed", "name-unknown", "deadline-exceeded".
task<Result<redis_facts>> ask_redis(redis_target target, duration limit = std::chrono::seconds(5));
// Codes: redis-ok, redis-replica, redis-evicts, redis-full, and the errors above.
finding judge_redis(const redis_target& target, const Result<redis_facts>& facts);
task<findings> probe_redis(redis_target target);

// ---- object storage: subject "object-storage" -------------------------------------------------
// The endpoint that STORAGE_TYPE names; empty where Dify's files are folders, or nothing is named.
std::string object_endpoint(const std::map<std::string, std::string, std::less<>>& environment);
// Codes: object-storage-ok, object-storage-away, object-storage-failing.
finding judge_object_storage(const std::string& endpoint, const Result<host::api_answer>& answer);
task<findings> probe_object_storage(std::string endpoint);

// ---- the stack: subjects "service.<name>" ---------------------------------------------------
struct expected_service {
  std::string name;
  bool one_shot = false;  // ends with 0 when it is well (init_permissions)
};

// Codes: service-ok, service-starting, service-unhealthy, service-ended, service-out-of-memory,
// service-restarting, service-paused, service-missing. Services in `recovering` (restart budget left) are
// warnings.
findings judge_services(const std::vector<expected_service>& expected, const stack::observed& now,
                        const std::set<std::string>& recovering = {});

// Subjects "stack" and "logs". Codes: containers-foreign (of the project, and of no service or run of
// difyd's), logs-unbounded, containers-ok. `runs`: labels of one-off containers that are difyd's.
findings judge_containers(const std::vector<expected_service>& expected, const stack::observed& now,
                          const std::vector<std::string>& runs);

// ---- the published port ---------------------------------------------------------------------
struct port_target {
  std::string subject = "port";  // "port.api", "port.web"
  std::string address = "127.0.0.1";
  std::uint16_t port = 80;
  std::string path = "/console/api/ping";
};

// Codes: port-answers, port-away, port-error (an answer of 500 or more), port-unexpected (400 to 499).
finding judge_port(const port_target& target, const Result<int>& status, duration took);
task<findings> probe_port(port_target target);

// ---- what answers there: subject "setup" and "api" ------------------------------------------------
// Codes: setup-done, setup-open (nobody was here yet), setup-lost (an install that was set up says that it
// was not: it stands on an empty database), setup-unknown.
finding judge_setup(const Result<std::string>& step, bool set_up_before);
// "finished" or "not_started", of /console/api/setup. Errors: http's, "setup-unreadable".
task<Result<std::string>> ask_setup(std::string address, std::uint16_t port);
// Codes: api-version-ok, api-version-differs, api-version-unknown.
finding judge_api_version(const Result<std::string>& reported, const std::string& wanted);
// X-Version of /health; empty where it says none.
task<Result<std::string>> ask_api_version(std::string address, std::uint16_t port = 5001);

// ---- one for all ----------------------------------------------------------------------------------
// The probe's findings, `limit` at most. A probe that fails in a way of its own, or does not end, becomes a
// finding "probe-failed" of that subject. Cancellation passes.
task<findings> guarded(std::string subject, task<findings> probe, duration limit);

}  // namespace difyd::health
