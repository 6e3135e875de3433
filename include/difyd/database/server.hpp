// What difyd asks a PostgreSQL server. Every call is bounded by the endpoint's limits and
// runs on the server's own lane; calls queue.
//
// Error codes (classes of SQLSTATE: platform FACTS 3.2), each with a remedy and never with a
// password: "database-name-unknown", "database-refused" (nobody listens), "database-silent" (no answer),
// "database-unreachable" (otherwise), "database-starting", "database-auth", "database-missing",
// "database-permission", "database-too-many-connections", "database-tls", "database-read-only",
// "database-timeout" (the server's own statement_timeout), "database-failed" (anything else).
// "deadline-exceeded" and "lane-busy" are those of base.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/database/endpoint.hpp"
#include "difyd/model/revision.hpp"

namespace difyd::database {

struct server_facts {
  int version_number = 0;   // server_version_num: 150014
  std::string version;      // "15.14"
  bool tls = false;         // of this very connection
  std::string tls_version;  // "TLSv1.3"
  std::string
      client_address;      // from where this connection comes, as the server sees it; "" for a unix socket
  bool read_only = false;  // standby, or default_transaction_read_only
  bool superuser = false;
  bool create_database = false;  // the role may CREATE DATABASE
  bool pooled = false;           // a connection pooler is between
  int connections_used = 0;      // all sessions that count against the limit
  int connections_max = 0;       // max_connections without the reserved ones
  std::vector<std::string> databases;
};

struct database_facts {
  bool empty = true;  // no table in schema public
  int tables = 0;
  bool vector_available = false;  // extension pgvector can be created
  std::string vector_version;     // installed in this database; "" where not
  std::int64_t bytes = 0;
  bool may_create = false;  // CREATE in schema public
};

struct session_info {
  int pid = 0;
  std::string user;
  std::string database;
  std::string application_name;
  std::string client_address;  // "" for a unix socket
  std::string state;           // "active", "idle", ...; "" where it may not be seen
  std::int64_t seconds = 0;    // since the session began
};

struct blocker {
  int pid = 0;  // who waits
  int blocked_by = 0;
  std::string application_name;  // of the blocking session
  std::string user;
  std::string relation;                  // "" where it is not one
  std::int64_t seconds = 0;              // how long the waiting statement runs
  std::int64_t transaction_seconds = 0;  // how long the blocking session's transaction is open
  std::string state;                     // of the blocking session; "" where it may not be seen, as below
  std::string statement;                 // its last one, on one line, at most 200 characters
};

struct table_lock {
  std::string table;
  std::string mode;  // AccessExclusiveLock, ShareLock, ... as pg_locks has it
  friend bool operator==(const table_lock&, const table_lock&) = default;
};

struct database_entry {
  std::string name;
  bool owned = false;  // this role may rename it
  std::int64_t bytes = 0;
};

struct new_name {
  std::string from;
  std::string to;
  friend bool operator==(const new_name&, const new_name&) = default;
};

class server {
 public:
  server(asio::any_io_executor executor, endpoint where);
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server();

  const endpoint& where() const;

  // Connects to `database` (or uses the open connection) and reads.
  task<Result<server_facts>> facts(std::string database);
  task<Result<database_facts>> facts_of(std::string database);
  // alembic_version; an empty revision where the table is absent or empty.
  // Error "revision-ambiguous" where it has several rows.
  task<Result<revision>> alembic_revision(std::string database);
  // Every table, column and index of schema public as one sha256: whether anything moved
  // though alembic_version did not (autocommit blocks, Dify FACTS section c).
  task<Result<std::string>> catalog_fingerprint(std::string database);

  // Client sessions on `databases`, or of `roles` on any database, but this server's own and
  // those of Cloud SQL's administration. Asked over a connection to `through`.
  task<Result<std::vector<session_info>>> sessions(std::string through, std::vector<std::string> databases,
                                                   std::vector<std::string> roles);
  // Who blocks the sessions with this application_name.
  task<Result<std::vector<blocker>>> blockers(std::string through, std::string application_name);
  // Locks that the sessions with this application_name hold on tables of `database` which others can see, and
  // that keep others from writing, or from reading, too.
  task<Result<std::vector<table_lock>>> locks(std::string database, std::string application_name);
  // False where no such session is left (which is what was wanted).
  task<Result<bool>> terminate(std::string through, int pid);

  // Names of the extensions that the server has files of.
  task<Result<std::vector<std::string>>> extensions(std::string through);

  task<Result<>> create_database(std::string through, std::string name);

  // Every database that takes connections and is no template.
  task<Result<std::vector<database_entry>>> databases(std::string through);
  // Ends the sessions on it first; one that is not there is dropped.
  task<Result<>> drop_database(std::string through, std::string name);
  // In this order, all or none. Ends the sessions on them first, this server's own included; `through`
  // must be another database.
  task<Result<>> rename_databases(std::string through, std::vector<new_name> names);

  // Lines of one topic that difyd keeps in schema difyd of `database`, oldest first; none where the schema
  // is not there. For what must be known where the share is away.
  task<Result<std::vector<std::string>>> notes(std::string database, std::string topic);
  // Makes schema and table where they are not there; a line that is there already is kept once.
  task<Result<>> add_note(std::string database, std::string topic, std::string text);

  // Forgets open connections, for when the address of a container changed.
  task<void> close();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace difyd::database
