#include <algorithm>
#include <optional>

#include "difyd/health/probes.hpp"

namespace difyd::health {
namespace {

using database::database_facts;
using database::server_facts;

finding make(std::string subject, std::string code, severity level, std::string detail,
             std::string remedy = {}) {
  return {std::move(subject), std::move(code), level, std::move(detail), std::move(remedy), false, {}};
}

std::string described(const database_target& target, const server_facts& server, const Result<revision>& at) {
  std::string text =
      "PostgreSQL " + server.version + " at " + database::to_text(target.where) + ", database " + target.name;
  text += server.tls ? ", " + server.tls_version : ", no TLS";
  text += ", " + std::to_string(server.connections_used) + " of " + std::to_string(server.connections_max) +
          " connections";
  if (at && !at->empty()) text += ", revision " + at->id;
  return text;
}

constexpr int oldest_version = 130000;  // older ones get no fixes, and Dify is not tried on them

std::optional<finding> judge_connection(const database_target& target, const server_facts& server) {
  if (server.version_number > 0 && server.version_number < oldest_version)
    return make(
        target.subject, "database-old", severity::warning,
        "PostgreSQL " + server.version + " at " + database::to_text(target.where) + " is older than 13",
        "Upgrade the server: Dify is made for PostgreSQL 15");
  if (target.through_network && !server.tls)
    return make(target.subject, "database-plain", severity::warning,
                "the connection to PostgreSQL at " + database::to_text(target.where) + " is not encrypted",
                "Switch TLS on there and set " + target.where.keys + ".sslmode to require or verify-full");
  return std::nullopt;
}

// The image in force was started on this revision; whatever moved it, Dify may not know the tables any more.
// One that cannot be read has not moved for that.
std::optional<finding> judge_revision(const database_target& target, const Result<revision>& at) {
  if (!at && at.error().code == "revision-ambiguous")
    return make(target.subject, "revision-ambiguous", severity::error, at.error().message, at.error().remedy);
  if (!at)
    return make(target.subject, "revision-unknown", severity::warning,
                "cannot read which revision database " + target.name + " holds: " + at.error().message,
                at.error().remedy.empty()
                    ? "See what keeps the server busy, or holds a lock on alembic_version"
                    : at.error().remedy);
  if (target.expected_revision.empty() || at->id == target.expected_revision) return std::nullopt;
  return make(target.subject, "revision-differs", severity::error,
              "database " + target.name + " holds revision " + (at->empty() ? "none" : at->id) +
                  ", and Dify was started on " + target.expected_revision,
              "See who changed it: difyd history; where the change was meant: difyd repin VERSION");
}

finding judge_server(const database_target& target, const server_facts& server, const Result<revision>& at) {
  if (server.read_only)
    return make(target.subject, "database-read-only", severity::error,
                "PostgreSQL at " + database::to_text(target.where) + " is read-only",
                "Point difyd at the primary, or see why it went read-only (a full disk, a standby)");
  // Dify's pools take what they want; the migrator and difyd need a handful.
  if (server.connections_max > 0 && server.connections_max - server.connections_used < 5)
    return make(target.subject, "connections-low", severity::warning, described(target, server, at),
                "Raise max_connections or lower Dify's SQLALCHEMY_POOL_SIZE");
  if (auto found = judge_revision(target, at)) return *found;
  if (auto found = judge_connection(target, server)) return *found;
  return make(target.subject, "database-ok", severity::ok, described(target, server, at));
}

// The plugin daemon creates its database itself where the role may (Dify facts, section d).
finding judge_plugin(const database_target& target, const server_facts& server) {
  const auto& names = server.databases;
  if (std::find(names.begin(), names.end(), target.plugin) != names.end())
    return make("database.plugin", "plugin-database-ok", severity::ok,
                "database " + target.plugin + " exists");
  if (server.create_database || server.superuser)
    return make("database.plugin", "plugin-database-creatable", severity::info,
                "database " + target.plugin + " does not exist yet; the plugin daemon will create it");
  return make(
      "database.plugin", "plugin-database-missing", severity::error,
      "database " + target.plugin + " does not exist, and " + target.where.user + " may not create it",
      "As an administrator: CREATE DATABASE " + target.plugin + " OWNER " + target.where.user);
}

finding judge_vector(const database_target& target, const database_facts& inside) {
  const std::string subject = "database.vector";
  if (!inside.vector_version.empty())
    return make(subject, "vector-ok", severity::ok,
                "extension vector " + inside.vector_version + " in " + target.name);
  if (inside.vector_available)
    return make(subject, "vector-creatable", severity::info,
                "extension vector is available in " + target.name + " and not created yet",
                "As a role that may: CREATE EXTENSION vector (Dify tries it itself)");
  return make(
      subject, "vector-missing", severity::error, "extension vector is not available in " + target.name,
      "Install pgvector on the server (Debian: postgresql-15-pgvector), then CREATE EXTENSION vector");
}

// No answer at all: the lane has given the call up, or still waits for the last one.
finding not_reached(const database_target& target, const Error& error) {
  const bool silent = error.code == "deadline-exceeded" || error.code == "lane-busy";
  if (!silent) return make(target.subject, error.code, severity::error, error.message, error.remedy);
  return make(
      target.subject, "database-silent", severity::error,
      "PostgreSQL at " + database::to_text(target.where) + " does not answer",
      "A firewall that drops packets, or a server that is frozen: look from here with psql, then at the "
      "server's load and disk");
}

}  // namespace

findings judge_database(const database_target& target, const Result<server_facts>& server,
                        const Result<database_facts>& inside, const Result<revision>& at) {
  if (!server) return {not_reached(target, server.error())};
  findings found{judge_server(target, *server, at)};
  if (!target.plugin.empty()) found.push_back(judge_plugin(target, *server));
  if (!target.needs_vector) return found;
  if (inside)
    found.push_back(judge_vector(target, *inside));
  else
    found.push_back(make("database.vector", inside.error().code, severity::error, inside.error().message,
                         inside.error().remedy));
  return found;
}

}  // namespace difyd::health
