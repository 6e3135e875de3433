// The exclusive claim on the Dify databases: a session-level advisory lock and an owner row,
// in a database of its own ("difyd") on the same server. Where the role may not create
// databases, in schema "difyd" of the main database: an advisory lock belongs to one database,
// so every machine first looks for the database, then for the schema, and only then makes one.
//
// The lock lives in one session that never reconnects: whoever loses the session has lost the
// lease. The server ends it within a minute when its machine is gone (keepalives set for it).
// A free lock whose row says that another machine's stack is up is not free: that stack may go on
// without its difyd. It is inherited by the rules of `inheritance`.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/database/endpoint.hpp"

namespace difyd::database {

struct owner {
  std::string machine_id;
  std::string boot_id;
  std::string hostname;
  std::string client_address;  // as the server sees it
  std::string version;         // of Dify; "" before anything is deployed
  bool stack_up = false;
  std::string taken_at;    // by the database's clock, RFC 3339
  std::string renewed_at;  // likewise
  double seconds_since_renewal = 0;
  std::string share;  // identity of the storage that these databases belong to; "" where none was told
};

// What this machine says about itself.
struct identity {
  std::string machine_id;
  std::string boot_id;
  std::string hostname;
};

identity this_machine();

// How long the former owner of a free lock must have been silent where its row says stack=up.
struct inheritance {
  duration renewal{std::chrono::seconds(120)};  // since the row was renewed, by the database's clock
  duration quiet{std::chrono::seconds(60)};     // without any session from its address, by our clock
};

struct lease_state {
  bool held = false;
  std::optional<owner> other;  // who has it, or had it last, where that is not us
  bool free = false;           // not held by anybody, and not inherited yet
};

class lease {
 public:
  // `main` is Dify's main database, `wanted` the name of the lease's own.
  lease(asio::any_io_executor executor, endpoint where, std::string main, std::string wanted, identity self,
        inheritance rules = {});
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  ~lease();

  // One attempt: connects, takes the lock where it is free, writes the owner row.
  // held=false with the other's row is not an error. `share`: identity of the storage here, empty where it
  // has none yet; unset: not known, and not compared.
  // Errors: "database-pooler" (a session lock means nothing behind a connection pooler,
  // pgbouncer.org/features.html), "share-foreign" (the row names another storage).
  task<Result<lease_state>> acquire(std::optional<std::string> share = {});

  // These databases belong to that storage from now on.
  task<Result<>> belong_to(std::string share);

  // The lock is still ours: same backend pid, lock in pg_locks, asked in one statement.
  // Error "lease-lost" (the session is gone or the lock is); others: not known, ask again.
  task<Result<>> check();

  // check, and the row says now and this.
  task<Result<>> renew(std::string version, bool stack_up);

  // Writes stack_up and gives the lock back. Errors are of no consequence: the session ends.
  task<Result<>> release(bool stack_up);

  // What the last call found out; no I/O.
  bool held() const;
  // Renewed with stack_up so lately, sleep included, that nobody can have inherited it since.
  bool fresh() const;
  // "database difyd" or "schema difyd in dify"; "" before the first acquire.
  std::string place() const;

  // The fixed key: first eight bytes of sha256("difyd").
  static long long key();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

// Whether a free lock whose row names another machine may be taken. `quiet`: for how long no session from
// the former owner's address has been seen. Pure.
bool may_inherit(const owner& former, duration quiet, const inheritance& rules);

}  // namespace difyd::database
