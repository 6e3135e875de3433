#include "claim.hpp"

#include <cstdlib>

namespace difyd::database {
namespace {

const std::string key = std::to_string(lease::key());

// Asked beside every statement that matters: this backend still holds the lock. For a bigint
// key pg_locks has its halves as classid and objid, and objsubid 1 (PostgreSQL 15, 54.12).
std::string holds_lock() {
  const auto bits = static_cast<unsigned long long>(lease::key());
  return "exists (select 1 from pg_locks where locktype = 'advisory' and granted and pid = pg_backend_pid()"
         " and database = (select oid from pg_database where datname = current_database())"
         " and classid = " +
         std::to_string(bits >> 32) + " and objid = " + std::to_string(bits & 0xffffffffULL) +
         " and objsubid = 1)";
}

std::unexpected<Error> lost(const std::string& cause) {
  return fail("lease-lost", "cannot keep the lease: " + cause, "Nothing is started until it is held again");
}

// The session is gone, so the lock is: an error of the connection means that the lease is lost.
Error judged(const claim& held, Error error) {
  return held.connection->alive() ? error : lost(error.message).error();
}

Result<bool> has_schema(session& s) {
  const auto found =
      s.query("select exists (select 1 from pg_namespace where nspname = 'difyd')", {}, "look for the lease");
  if (!found) return fail(found.error());
  return found->front()[0] == "t";
}

// Connected to where the lease is, or belongs (lease.hpp says why in this order).
Result<std::unique_ptr<session>> connect(const claim_request& request, lease_place& place) {
  place = {request.wanted, true};
  auto own = open_session(request.where, request.wanted);
  if (own || own.error().code != "database-missing") return own;
  auto main = open_session(request.where, request.main);
  if (!main) return main;
  const auto schema = has_schema(**main);
  if (!schema) return fail(schema.error());
  if (!*schema) {
    const auto made = (*main)->query("create database " + identifier(request.wanted), {},
                                     "create database " + request.wanted);
    // Another machine may have made it in between, or this role may not.
    if (auto again = open_session(request.where, request.wanted)) return again;
  }
  place = {request.main, false};
  return main;
}

Result<> make_table(session& s) {
  const std::string what = "create the lease's table";
  for (const char* sql :
       {"create schema if not exists difyd",
        "create table if not exists difyd.lease (id int primary key check (id = 1), machine_id text not null,"
        " boot_id text not null, hostname text not null, client_address text not null, version text not null,"
        " stack_up boolean not null, taken_at timestamptz not null, renewed_at timestamptz not null)",
        "alter table difyd.lease add column if not exists share text not null default ''"})
    if (auto done = s.query(sql, {}, what); !done) return fail(done.error());
  return {};
}

Result<std::optional<owner>> read_owner(session& s) {
  const std::string what = "read who has the lease";
  const auto table = s.query("select to_regclass('difyd.lease') is not null", {}, what);
  if (!table) return fail(table.error());
  if (table->front()[0] != "t") return std::nullopt;
  const auto found = s.query(
      "select machine_id, boot_id, hostname, client_address, version, stack_up,"
      " to_char(taken_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
      " to_char(renewed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
      // Through JSON: a table of an older difyd that holds the lease does not have the column yet.
      " extract(epoch from clock_timestamp() - renewed_at), to_jsonb(l) ->> 'share' from difyd.lease l where "
      "id = 1",
      {}, what);
  if (!found) return fail(found.error());
  if (found->empty()) return std::nullopt;
  const row& r = found->front();
  const auto text = [&](std::size_t i) { return r[i].value_or(""); };
  return owner{text(0), text(1), text(2),
               text(3), text(4), r[5] == "t",
               text(6), text(7), std::strtod(text(8).c_str(), nullptr),
               text(9)};
}

// A version and a running stack are facts about the machine that wrote them.
Result<> write_owner(session& s, const identity& self, const std::string& share) {
  const auto done = s.query(
      "insert into difyd.lease as l (id, machine_id, boot_id, hostname, client_address, version, stack_up,"
      " taken_at, renewed_at, share)"
      " values (1, ?, ?, ?, coalesce(host(inet_client_addr()), ''), '', false, now(), now(), ?)"
      " on conflict (id) do update set stack_up = l.stack_up and l.machine_id = excluded.machine_id"
      " and l.boot_id = excluded.boot_id, machine_id = excluded.machine_id, boot_id = excluded.boot_id,"
      " hostname = excluded.hostname, client_address = excluded.client_address, taken_at = now(), renewed_at "
      "= now(), share = case when excluded.share = '' then l.share else excluded.share end",
      {self.machine_id, self.boot_id, self.hostname, share}, "write the lease's row");
  if (!done) return fail(done.error());
  return {};
}

// Sessions of whatever runs on the former owner's machine. Where that address is ours too (one machine, or
// a new one under the old address), difyd's own sessions are not its.
Result<bool> has_sessions(session& s, const owner& former) {
  const auto found = s.query(
      "select exists (select 1 from pg_stat_activity where backend_type = 'client backend'"
      " and pid <> pg_backend_pid() and client_addr is not distinct from nullif(?, '')::inet"
      " and not (client_addr is not distinct from inet_client_addr() and application_name like 'difyd%'))",
      {former.client_address}, "look for sessions of the lease's former owner");
  if (!found) return fail(found.error());
  return found->front()[0] == "t";
}

Result<bool> inherits(session& s, const owner& former, const inheritance& rules, quiet_since& quiet) {
  if (!former.stack_up) return true;
  const auto busy = has_sessions(s, former);
  if (!busy) return fail(busy.error());
  const auto now = std::chrono::steady_clock::now();
  if (*busy)
    quiet.reset();
  else if (!quiet)
    quiet = now;
  const auto time = quiet ? std::chrono::duration_cast<duration>(now - *quiet) : duration(-1);
  return may_inherit(former, time, rules);
}

// A transaction of its own each: a pooler may give each to another backend, and its word for the backend's
// number is its own.
Result<> refuse_pooler(session& s, const endpoint& where) {
  const auto pid = s.query("select pg_backend_pid()", {}, "take the lease");
  if (!pid) return fail(pid.error());
  if (pid->front()[0] == std::to_string(s.backend_pid())) return {};
  return fail("database-pooler",
              "cannot take the lease: " + to_text(where) +
                  " is a connection pooler, and a lock of a session means nothing behind one",
              "Give database.host and database.port of PostgreSQL itself");
}

Result<> refuse_foreign(const std::optional<owner>& former, const std::optional<std::string>& share) {
  if (!share || !former || former->share.empty() || former->share == *share) return {};
  return fail(
      "share-foreign",
      "cannot take the lease: the storage and the databases do not belong together: the databases "
      "belong to storage " +
          former->share + ", and this one is " + (share->empty() ? "new" : *share),
      "Mount the storage that belongs to them, or give the right database, then: difyd up. Where they "
      "do belong together, write " +
          former->share + " into .difyd/share-id of the storage");
}

}  // namespace

Result<claim_outcome> take_claim(const claim_request& request, quiet_since& quiet) {
  claim_outcome out;
  auto connected = connect(request, out.place);
  if (!connected) return fail(std::move(connected.error()));
  session& s = **connected;
  const watch guard(*request.interrupt, s.socket());
  if (auto direct = refuse_pooler(s, request.where); !direct) return fail(direct.error());
  // A lease rests between renewals: a server that ends idle sessions must not end this one, and one whose
  // machine is gone must not keep the lock. Versions before 14 do not know all settings, and need not.
  (void)s.query(
      "select set_config(name, case name when 'idle_session_timeout' then '0' when 'tcp_keepalives_idle' "
      "then '20'"
      " when 'tcp_keepalives_interval' then '10' when 'tcp_keepalives_count' then '3' else '50000' end, "
      "false)"
      " from pg_settings where name in ('idle_session_timeout', 'tcp_keepalives_idle', "
      "'tcp_keepalives_interval',"
      " 'tcp_keepalives_count', 'tcp_user_timeout')",
      {}, "keep the session");
  const auto locked = s.query("select pg_try_advisory_lock(" + key + ")", {}, "take the lease");
  if (!locked) return fail(locked.error());
  const bool mine = locked->front()[0] == "t";
  if (mine)
    if (auto made = make_table(s); !made) return fail(std::move(made.error()));
  auto former = read_owner(s);
  if (!former) return fail(former.error());
  const bool foreign = *former && (*former)->machine_id != request.self.machine_id;
  if (foreign || !mine) out.other = *former;
  if (!mine) {
    quiet.reset();
    return out;
  }
  if (auto known = refuse_foreign(*former, request.share); !known) return fail(known.error());
  if (foreign) {
    const auto inherited = inherits(s, **former, request.rules, quiet);
    if (!inherited) return fail(inherited.error());
    out.free = !*inherited;
    if (out.free) return out;
  }
  quiet.reset();
  if (auto owned = write_owner(s, request.self, request.share.value_or("")); !owned)
    return fail(std::move(owned.error()));
  out.taken = std::make_unique<claim>();
  out.taken->pid = s.backend_pid();
  out.taken->place = out.place;
  out.taken->connection = std::move(*connected);
  return out;
}

Result<> check_claim(claim& held) {
  const auto found =
      held.connection->query("select pg_backend_pid(), " + holds_lock(), {}, "check the lease");
  if (!found) return fail(judged(held, found.error()));
  if (found->front()[0] != std::to_string(held.pid)) return lost("its session is another one now");
  if (found->front()[1] != "t") return lost("the lock is gone");
  return {};
}

Result<> renew_claim(claim& held, const std::string& version, bool stack_up) {
  const auto found = held.connection->query(
      "update difyd.lease set version = ?, stack_up = ?, renewed_at = clock_timestamp()"
      " where id = 1 and pg_backend_pid() = " +
          std::to_string(held.pid) + " and " + holds_lock() + " returning id",
      {version, stack_up ? "true" : "false"}, "renew the lease");
  if (!found) return fail(judged(held, found.error()));
  if (!found->empty()) return {};
  if (auto mine = check_claim(held); !mine) return mine;
  return lost("its row is gone");
}

Result<> mark_claim(claim& held, const std::string& share) {
  const auto found = held.connection->query(
      "update difyd.lease set share = ? where id = 1 and " + holds_lock() + " returning id", {share},
      "name the storage in the lease's row");
  if (!found) return fail(judged(held, found.error()));
  return found->empty() ? lost("its row is gone") : Result<>{};
}

Result<> drop_claim(claim& held, bool stack_up) {
  const std::string what = "give back the lease";
  const auto updated = held.connection->query(
      "update difyd.lease set stack_up = ?, renewed_at = clock_timestamp() where id = 1 and " + holds_lock(),
      {stack_up ? "true" : "false"}, what);
  if (!updated) return fail(updated.error());
  const auto done = held.connection->query("select pg_advisory_unlock(" + key + ")", {}, what);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace difyd::database
