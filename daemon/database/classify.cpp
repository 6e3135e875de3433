#include "classify.hpp"

#include <array>

#include "difyd/base/text.hpp"

namespace difyd::database {
namespace {

struct meaning {
  std::string_view state;  // SQLSTATE or the class it begins with
  std::string_view code;
  std::string_view remedy;  // {user}, {database}, {host} and {keys} are filled in
};

// PostgreSQL's own codes (errcodes-appendix of version 15), and TLS00, POOL0, DNS00, REF00 and SIL00, which
// are ours.
constexpr std::array<meaning, 19> meanings = {{
    {"28P01", "database-auth", "Check the password of role {user}"},
    {"28", "database-auth",
     "Check role {user}, its password, and pg_hba.conf or the authorised networks of the server"},
    {"3D000", "database-missing", "Create database {database}, owned by role {user}"},
    {"42501", "database-permission", "Grant role {user} what it lacks on database {database}"},
    {"25006", "database-read-only", "Point {keys}.host at the primary server"},
    {"53300", "database-too-many-connections",
     "Raise max_connections of the server, or end sessions that are not needed"},
    {"57P03", "database-starting", "Wait: the server is starting, stopping or recovering"},
    {"57P01", "database-unreachable", "The server ended the session; it is restarted or failing over"},
    {"57P02", "database-unreachable", "The server crashed and restarts by itself"},
    {"57P05", "database-unreachable", "The server ended an idle session; raise idle_session_timeout"},
    {"08", "database-unreachable", "Check that {host} is up and that no firewall is between"},
    {"DNS00", "database-name-unknown", "Correct {keys}.host, or the name server of this machine"},
    {"REF00", "database-refused", "Nobody listens at {host}: start PostgreSQL there, or correct {keys}.port"},
    {"SIL00", "database-silent",
     "A firewall that drops packets, or a server that is frozen: look from here with psql, then at the "
     "server's "
     "load and disk"},
    {"TLS00", "database-tls", "Check {keys}.sslmode and {keys}.ca_file against what the server offers"},
    {"POOL0", "database-pooler", "Give {keys}.host and {keys}.port of PostgreSQL itself, not of a pooler"},
    {"57014", "database-timeout", "The server is overloaded or the statement waits for a lock"},
    {"53100", "database-failed", "Free space on the server"},
    {"53", "database-failed", "The server lacks memory or another resource"},
}};

struct phrase {
  std::string_view text;
  std::string_view state;
};

// Connecting gives texts without SQLSTATE. Order matters: the first that is found wins.
constexpr std::array<phrase, 29> phrases = {{
    {"password authentication failed", "28P01"},
    {"no password supplied", "28P01"},
    {"unsupported startup parameter", "POOL0"},  // PgBouncer's words
    {"too many clients already", "53300"},
    {"remaining connection slots are reserved", "53300"},
    {"too many connections for", "53300"},
    {"the database system is starting up", "57P03"},
    {"the database system is shutting down", "57P03"},
    {"the database system is in recovery", "57P03"},
    {"the database system is not yet accepting", "57P03"},
    {"no pg_hba.conf entry", "28000"},
    {"pg_hba.conf rejects", "28000"},
    {"is not permitted to log in", "28000"},
    {"authentication failed", "28000"},
    {"permission denied for database", "42501"},
    {"certificate", "TLS00"},
    {"SSL error", "TLS00"},
    {"does not support SSL", "TLS00"},
    {"does not match host name", "TLS00"},
    {"could not translate host name", "DNS00"},
    {"timeout expired", "SIL00"},
    {"Connection refused", "REF00"},
    {"No such file or directory", "REF00"},
    {"No route to host", "08001"},
    {"Network is unreachable", "08001"},
    {"Connection reset by peer", "08006"},
    {"terminating connection due to administrator command", "57P01"},
    {"server closed the connection", "08006"},
    {"Connection timed out", "SIL00"},
}};

// `database "x" does not exist` and `role "x" does not exist` differ by their subject only.
std::string_view missing_subject(std::string_view text) {
  if (text.find("\" does not exist") == std::string_view::npos) return {};
  if (text.find("database \"") != std::string_view::npos) return "3D000";
  if (text.find("role \"") != std::string_view::npos) return "28000";
  return {};
}

const meaning* meaning_of(std::string_view state) {
  if (state.empty()) return nullptr;
  for (const auto& each : meanings)
    if (state.starts_with(each.state)) return &each;
  return nullptr;
}

void fill_in(std::string& text, std::string_view name, const std::string& value) {
  for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size()))
    text.replace(at, name.size(), value);
}

// libpq repeats its address line and continues over several lines: the last sentence counts.
std::string cause_of(std::string_view text) {
  std::string line;
  for (const auto& each : split(text, '\n')) {
    const std::string_view trimmed = trim(each);
    if (!trimmed.empty() && !trimmed.starts_with("LINE ") && !trimmed.starts_with("^") &&
        !trimmed.starts_with("Is the server"))
      line += (line.empty() ? "" : "; ") + std::string(trimmed);
  }
  for (const std::string_view level : {"FATAL:  ", "ERROR:  "}) {
    const std::size_t at = line.find(level);
    if (at != std::string::npos) line = line.substr(at + level.size());
  }
  return line.empty() ? "no reason given" : line;
}

}  // namespace

std::string_view sqlstate_of_text(std::string_view text) {
  for (const auto& each : phrases)
    if (text.find(each.text) != std::string_view::npos) return each.state;
  return missing_subject(text);
}

Error classify(const failure& seen, const endpoint& where, const std::string& database,
               const std::string& what) {
  const std::string_view state =
      seen.sqlstate.empty() ? sqlstate_of_text(seen.text) : std::string_view(seen.sqlstate);
  Error error;
  std::string cause = cause_of(seen.text);
  // libpq does not print passwords, but a text that holds one must not pass on any way.
  if (!where.password.empty() && where.password.size() > 3) fill_in(cause, where.password, "(password)");
  error.message = "cannot " + what + ": " + cause;
  const meaning* known = meaning_of(state);
  error.code = known ? known->code : "database-failed";
  error.remedy = known ? known->remedy : "";
  fill_in(error.remedy, "{user}", where.user);
  fill_in(error.remedy, "{database}", database);
  fill_in(error.remedy, "{host}", to_text(where));
  fill_in(error.remedy, "{keys}", where.keys);
  return error;
}

}  // namespace difyd::database
