#include "queries.hpp"

#include <cstdlib>

#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

namespace difyd::database {
namespace {

std::string text(const cell_text& cell) { return cell.value_or(""); }
int number(const cell_text& cell) { return cell ? std::atoi(cell->c_str()) : 0; }
std::int64_t big_number(const cell_text& cell) { return cell ? std::atoll(cell->c_str()) : 0; }
bool truth(const cell_text& cell) { return cell == "t"; }

std::string placeholders(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += i == 0 ? "?" : ",?";
  return count == 0 ? "null" : list;
}

constexpr const char* server_sql =
    "select current_setting('server_version_num'), current_setting('server_version'),"
    " coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false),"
    " (select version from pg_stat_ssl where pid = pg_backend_pid()),"
    " pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on',"
    " r.rolsuper, r.rolcreatedb or r.rolsuper,"
    " (select sum(numbackends) from pg_stat_database),"
    " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
    " host(inet_client_addr()), pg_backend_pid()"
    " from pg_roles r where r.rolname = current_user";

constexpr const char* database_sql =
    "select (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    "   where n.nspname = 'public' and c.relkind in ('r', 'p')),"
    " exists (select 1 from pg_available_extensions where name = 'vector'),"
    " (select extversion from pg_extension where extname = 'vector'),"
    " pg_database_size(current_database()),"
    " coalesce((select has_schema_privilege(oid, 'CREATE') from pg_namespace where nspname = 'public'), "
    "false)";

// Structure only; row counts and statistics change without a migration.
constexpr const char* fingerprint_sql =
    "select 'column', c.relname::text, a.attname::text, c.relkind::text || format_type(a.atttypid, "
    "a.atttypmod) ||"
    "   a.attnotnull::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')"
    "  from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'"
    "  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
    "  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum where c.relkind in ('r', 'p', 'v', "
    "'m')"
    " union all select 'index', tablename::text, indexname::text, indexdef from pg_indexes where schemaname "
    "= 'public'"
    " union all select 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(c.oid)"
    "  from pg_constraint c join pg_namespace n on n.oid = c.connamespace and n.nspname = 'public'"
    " union all select 'type', t.typname::text, e.enumlabel::text, e.enumsortorder::text"
    "  from pg_enum e join pg_type t on t.oid = e.enumtypid"
    " union all select 'function', p.proname::text, pg_get_function_identity_arguments(p.oid), md5(p.prosrc)"
    "  from pg_proc p join pg_namespace n on n.oid = p.pronamespace and n.nspname = 'public'"
    " order by 1, 2, 3, 4";

// The catalog alone: whatever looks at a locked table itself waits for its lock.
constexpr const char* locks_sql =
    "select c.relname, l.mode from pg_locks l join pg_stat_activity a on a.pid = l.pid"
    " join pg_database d on d.oid = l.database and d.datname = current_database()"
    " join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'm')"
    " join pg_namespace n on n.oid = c.relnamespace and n.nspname not in ('pg_catalog', 'pg_toast')"
    " where l.granted and a.application_name = ? and l.mode in"
    " ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') order by 1, 2";

constexpr const char* blockers_sql =
    "select w.pid, b.pid, o.application_name, o.usename,"
    " (select l.relation::regclass::text from pg_locks l where l.pid = w.pid and not l.granted and "
    "l.relation is not null"
    "   limit 1),"
    " extract(epoch from clock_timestamp() - w.query_start)::bigint,"
    " extract(epoch from clock_timestamp() - o.xact_start)::bigint, o.state,"
    " left(regexp_replace(nullif(o.query, '<insufficient privilege>'), '\\s+', ' ', 'g'), 200)"
    " from pg_stat_activity w cross join lateral unnest(pg_blocking_pids(w.pid)) as b(pid)"
    " left join pg_stat_activity o on o.pid = b.pid where w.application_name = ? order by 1, 2";

// Sessions of Google's own roles cannot be ended and are not Dify's (platform FACTS 3.4).
constexpr const char* sessions_head =
    "select pid, usename, datname, application_name, host(client_addr), state,"
    " extract(epoch from clock_timestamp() - backend_start)::bigint from pg_stat_activity"
    " where datid is not null and coalesce(backend_type, 'client backend') = 'client backend'"
    " and coalesce(usename, '') not in ('cloudsqladmin', 'cloudsqlagent', 'cloudsqlreplica', "
    "'cloudsqlimportexport')"
    " and pid <> pg_backend_pid()";

}  // namespace

Result<server_facts> ask_server(session& s) {
  const auto found = s.query(server_sql, {}, "read facts about the server");
  if (!found) return fail(found.error());
  if (found->empty())
    return fail("database-failed", "cannot read facts about the server: the role is not known to it");
  const row& r = found->front();
  server_facts facts;
  facts.version_number = number(r[0]);
  facts.version = text(r[1]);
  facts.tls = truth(r[2]);
  facts.tls_version = text(r[3]);
  facts.read_only = truth(r[4]);
  facts.superuser = truth(r[5]);
  facts.create_database = truth(r[6]);
  facts.connections_used = number(r[7]);
  facts.connections_max = number(r[8]);
  facts.client_address = text(r[9]);
  // A pooler's word for the backend's number is its own.
  facts.pooled = number(r[10]) != s.backend_pid();
  const auto names =
      s.query("select datname from pg_database where datallowconn and not datistemplate order by 1", {},
              "list databases");
  if (!names) return fail(names.error());
  for (const auto& each : *names) facts.databases.push_back(text(each[0]));
  return facts;
}

Result<database_facts> ask_database(session& s) {
  const auto found = s.query(database_sql, {}, "read facts about the database");
  if (!found) return fail(found.error());
  const row& r = found->front();
  database_facts facts;
  facts.tables = number(r[0]);
  facts.empty = facts.tables == 0;
  facts.vector_available = truth(r[1]);
  facts.vector_version = text(r[2]);
  facts.bytes = big_number(r[3]);
  facts.may_create = truth(r[4]);
  return facts;
}

Result<revision> ask_revision(session& s) {
  const std::string what = "read the database's revision";
  const auto table = s.query("select to_regclass('public.alembic_version') is not null", {}, what);
  if (!table) return fail(table.error());
  if (!truth(table->front()[0])) return revision{};
  const auto found = s.query("select version_num from public.alembic_version order by 1", {}, what);
  if (!found) return fail(found.error());
  if (found->empty()) return revision{};
  if (found->size() > 1)
    return fail(
        "revision-ambiguous",
        "cannot read the database's revision: alembic_version has " + std::to_string(found->size()) + " rows",
        "Restore the database, or leave the one row that its tables belong to");
  return revision{text(found->front()[0])};
}

Result<std::string> ask_fingerprint(session& s) {
  const auto found = s.query(fingerprint_sql, {}, "read the database's catalog");
  if (!found) return fail(found.error());
  std::string all;
  for (const auto& each : *found) {
    for (const auto& cell : each) all += text(cell) + '\0';
    all += '\n';
  }
  return sha256_hex(all);
}

Result<std::vector<session_info>> ask_sessions(session& s, const std::vector<std::string>& databases,
                                               const std::vector<std::string>& roles,
                                               const std::vector<int>& own) {
  std::string sql = std::string(sessions_head) + " and (datname in (" + placeholders(databases.size()) +
                    ") or usename in (" + placeholders(roles.size()) + "))";
  for (const int pid : own) sql += " and pid <> " + std::to_string(pid);
  std::vector<std::string> arguments = databases;
  arguments.insert(arguments.end(), roles.begin(), roles.end());
  const auto found = s.query(sql + " order by pid", arguments, "list sessions");
  if (!found) return fail(found.error());
  std::vector<session_info> sessions;
  for (const auto& r : *found)
    sessions.push_back(
        {number(r[0]), text(r[1]), text(r[2]), text(r[3]), text(r[4]), text(r[5]), big_number(r[6])});
  return sessions;
}

Result<std::vector<blocker>> ask_blockers(session& s, const std::string& application_name) {
  const auto found = s.query(blockers_sql, {application_name}, "list who blocks " + application_name);
  if (!found) return fail(found.error());
  std::vector<blocker> blockers;
  for (const auto& r : *found)
    blockers.push_back({number(r[0]), number(r[1]), text(r[2]), text(r[3]), text(r[4]), big_number(r[5]),
                        big_number(r[6]), text(r[7]), text(r[8])});
  return blockers;
}

Result<std::vector<table_lock>> ask_locks(session& s, const std::string& application_name) {
  const auto found = s.query(locks_sql, {application_name}, "list the locks of " + application_name);
  if (!found) return fail(found.error());
  std::vector<table_lock> locks;
  for (const auto& r : *found) locks.push_back({text(r[0]), text(r[1])});
  return locks;
}

Result<bool> ask_terminate(session& s, int pid) {
  const std::string id = std::to_string(pid);
  const auto found = s.query("select pg_terminate_backend(" + id + ")", {}, "end session " + id);
  if (!found) return fail(found.error());
  return truth(found->front()[0]);
}

namespace {

// A database with a session on it is neither dropped nor renamed. What the role may not end, it is told
// then; the server's own workers make way by themselves.
Result<> end_sessions(session& s, const std::vector<std::string>& databases) {
  const auto ended = s.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
      " and backend_type = 'client backend' and pg_has_role(usesysid, 'USAGE') and datname in (" +
          placeholders(databases.size()) + ")",
      databases, "end the sessions on " + join(databases, ", "));
  if (!ended) return fail(ended.error());
  return {};
}

}  // namespace

Result<std::vector<database_entry>> ask_databases(session& s) {
  const auto found = s.query(
      "select datname, pg_has_role(datdba, 'USAGE'), case when has_database_privilege(oid, 'CONNECT') then "
      "pg_database_size(oid) else 0 end from pg_database where datallowconn and not datistemplate order by 1",
      {}, "list databases");
  if (!found) return fail(found.error());
  std::vector<database_entry> databases;
  for (const auto& r : *found) databases.push_back({text(r[0]), truth(r[1]), big_number(r[2])});
  return databases;
}

Result<> ask_drop(session& s, const std::string& name) {
  if (auto ended = end_sessions(s, {name}); !ended) return ended;
  const auto done = s.query("drop database if exists " + identifier(name), {}, "drop database " + name);
  if (!done) return fail(done.error());
  return {};
}

Result<> ask_rename(session& s, const std::vector<new_name>& names) {
  std::vector<std::string> old;
  std::string sql;
  for (const auto& each : names) {
    old.push_back(each.from);
    sql += "alter database " + identifier(each.from) + " rename to " + identifier(each.to) + ";";
  }
  if (auto ended = end_sessions(s, old); !ended) return ended;
  // Statements that are sent together are one transaction.
  const auto done = s.query(sql, {}, "rename " + join(old, ", "));
  if (!done) return fail(done.error());
  return {};
}

Result<std::vector<std::string>> ask_extensions(session& s) {
  const auto found = s.query("select name from pg_available_extensions order by 1", {}, "list extensions");
  if (!found) return fail(found.error());
  std::vector<std::string> names;
  for (const auto& each : *found) names.push_back(text(each[0]));
  return names;
}

Result<> ask_create(session& s, const std::string& name) {
  const auto done = s.query("create database " + identifier(name), {}, "create database " + name);
  if (!done) return fail(done.error());
  return {};
}

}  // namespace difyd::database
