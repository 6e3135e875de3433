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
        " stack_up boolean not null, taken_at timestamptz not null, renewed_at timestamptz not null)"})
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
      " to_char(renewed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
      " extract(epoch from clock_timestamp() - renewed_at) from difyd.lease where id = 1",
      {}, what);
  if (!found) return fail(found.error());
  if (found->empty()) return std::nullopt;
  const row& r = found->front();
  const auto text = [&](std::size_t i) { return r[i].value_or(""); };
  return owner{text(0), text(1),     text(2), text(3),
               text(4), r[5] == "t", text(6), std::strtod(text(7).c_str(), nullptr)};
}

// A version and a running stack are facts about the machine that wrote them.
Result<> write_owner(session& s, const identity& self) {
  const auto done = s.query(
      "insert into difyd.lease as l values (1, ?, ?, ?, coalesce(host(inet_client_addr()), ''), '', false, "
      "now(), now())"
      " on conflict (id) do update set stack_up = l.stack_up and l.machine_id = excluded.machine_id"
      " and l.boot_id = excluded.boot_id, machine_id = excluded.machine_id, boot_id = excluded.boot_id,"
      " hostname = excluded.hostname, client_address = excluded.client_address, taken_at = now(), renewed_at "
      "= now()",
      {self.machine_id, self.boot_id, self.hostname}, "write the lease's row");
  if (!done) return fail(done.error());
  return {};
}

Result<> own_row(session& s, const identity& self, std::optional<owner>& other, bool& refused) {
  if (auto made = make_table(s); !made) return made;
  auto former = read_owner(s);
  if (!former) return fail(former.error());
  const bool foreign = *former && (*former)->machine_id != self.machine_id;
  refused = foreign && !may_inherit(**former);
  if (foreign) other = std::move(**former);
  return refused ? Result<>{} : write_owner(s, self);
}

}  // namespace

Result<claim_outcome> take_claim(const claim_request& request) {
  claim_outcome out;
  auto connected = connect(request, out.place);
  if (!connected) return fail(std::move(connected.error()));
  session& s = **connected;
  const watch guard(*request.interrupt, s.socket());
  // A lease rests between renewals; a server that ends idle sessions must not end this one.
  // Versions before 14 do not know the setting, and need not.
  (void)s.query("select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'",
                {}, "keep the session");
  const auto locked = s.query("select pg_try_advisory_lock(" + key + ")", {}, "take the lease");
  if (!locked) return fail(locked.error());
  if (locked->front()[0] != "t") {
    auto other = read_owner(s);
    if (!other) return fail(other.error());
    out.other = std::move(*other);
    return out;
  }
  bool refused = false;
  if (auto owned = own_row(s, request.self, out.other, refused); !owned)
    return fail(std::move(owned.error()));
  if (refused) return out;
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
