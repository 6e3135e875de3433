#include "derived.hpp"

#include <algorithm>
#include <string_view>

#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

// The plugin daemon cannot verify the server without the authority's file, which is not in
// its container: it encrypts, difyd verifies.
std::string plugin_sslmode(const std::string& sslmode) {
  return sslmode.starts_with("verify-") ? "require" : sslmode;
}

void add_database(assignments& out, const config::database_settings& database) {
  const bool external = database.kind == "external";
  out.emplace_back("DB_TYPE", "postgresql");
  if (!database.host.empty()) out.emplace_back("DB_HOST", database.host);
  if (external) out.emplace_back("DB_PORT", std::to_string(database.port));
  if (!database.user.empty()) out.emplace_back("DB_USERNAME", database.user);
  if (!database.password.empty()) out.emplace_back("DB_PASSWORD", database.password.reveal());
  out.emplace_back("DB_DATABASE", database.main);
  out.emplace_back("DB_PLUGIN_DATABASE", database.plugin);
  if (external) out.emplace_back("DB_SSL_MODE", plugin_sslmode(database.sslmode));
}

void add_vector(assignments& out, const config::vector_settings& vector) {
  out.emplace_back("VECTOR_STORE", vector.kind);
  if (vector.kind != "pgvector") return;
  if (!vector.host.empty()) {
    out.emplace_back("PGVECTOR_HOST", vector.host);
    out.emplace_back("PGVECTOR_PORT", std::to_string(vector.port));
    out.emplace_back("PGVECTOR_USER", vector.user);
    out.emplace_back("PGVECTOR_DATABASE", vector.database);
  }
  if (vector.password.empty()) return;
  out.emplace_back("PGVECTOR_PASSWORD", vector.password.reveal());
  if (vector.host.empty()) out.emplace_back("PGVECTOR_POSTGRES_PASSWORD", vector.password.reveal());
}

std::string broker_url(const config::redis_settings& redis, const std::string& host, int port) {
  const std::string user = percent_encode(redis.user) + ":" + percent_encode(redis.password.reveal()) + "@";
  return (redis.tls ? "rediss://" : "redis://") + (user == ":@" ? std::string() : user) + host + ":" +
         std::to_string(port) + "/" + std::to_string(redis.broker_db);
}

void add_external_redis(assignments& out, const config::redis_settings& redis) {
  out.emplace_back("REDIS_HOST", redis.host);
  out.emplace_back("REDIS_PORT", std::to_string(redis.port));
  out.emplace_back("REDIS_USERNAME", redis.user);
  out.emplace_back("REDIS_PASSWORD", redis.password.reveal());
  out.emplace_back("REDIS_USE_SSL", redis.tls ? "true" : "false");
  out.emplace_back("REDIS_DB", std::to_string(redis.db));
  out.emplace_back("CELERY_BROKER_URL", broker_url(redis, redis.host, redis.port));
  out.emplace_back("BROKER_USE_SSL", redis.tls ? "true" : "false");
}

// The compose files put REDIS_PASSWORD into the command line of their own Redis, which docker
// compose splits into words, even where that Redis is not used; and into a shell line of its
// health check, which matters only where it is.
bool safe_for_words(const std::string& password) {
  return password.find_first_of(" \t\r\n'\"\\`();&|<>") == std::string::npos;
}

bool safe_for_shell(const std::string& password) {
  return safe_for_words(password) && password.find_first_of("$#*?!~{}[]") == std::string::npos;
}

std::unexpected<Error> bad_redis_password(const std::string& forbidden) {
  return fail(
      "environment-value",
      "cannot use the password of Redis: the release puts it into a command line, which it would break",
      "Choose one without blanks and without any of " + forbidden);
}

Result<> add_bundled_redis(assignments& out, const config::redis_settings& redis, const text_map& published) {
  if (redis.password.empty()) return {};
  if (!safe_for_shell(redis.password.reveal())) return bad_redis_password("'\"\\`();&|<>$#*?!~{}[]");
  out.emplace_back("REDIS_PASSWORD", redis.password.reveal());
  const auto host = published.find("REDIS_HOST");
  out.emplace_back("CELERY_BROKER_URL",
                   broker_url(redis, host == published.end() ? "redis" : host->second, 6379));
  return {};
}

// Profiles of the release that depend neither on the database nor on the vector store
// ("collaboration"), read from the line as published.
std::vector<std::string> fixed_profiles(std::string_view env_example) {
  std::vector<std::string> fixed;
  for (const auto& line : split(env_example, '\n')) {
    if (!line.starts_with("COMPOSE_PROFILES=")) continue;
    for (const auto& each : split(line.substr(line.find('=') + 1), ','))
      if (const std::string name(trim(each)); !name.empty() && name.find('$') == std::string::npos)
        fixed.push_back(name);
  }
  return fixed;
}

std::string profiles(const config::settings& settings, std::string_view env_example) {
  if (settings.profiles) return join(*settings.profiles, ",");
  std::vector<std::string> all;
  if (settings.vector.host.empty()) all.push_back(settings.vector.kind);
  if (settings.database.kind == "bundled") all.emplace_back("postgresql");
  for (auto& each : fixed_profiles(env_example))
    if (std::ranges::find(all, each) == all.end()) all.push_back(std::move(each));
  return join(all, ",");
}

}  // namespace

Result<assignments> derived(const config::settings& settings, const text_map& published,
                            std::string_view env_example) {
  assignments out;
  add_database(out, settings.database);
  add_vector(out, settings.vector);
  if (settings.redis.kind == "external") {
    if (!safe_for_words(settings.redis.password.reveal())) return bad_redis_password("'\"\\`();&|<>");
    add_external_redis(out, settings.redis);
  } else if (auto good = add_bundled_redis(out, settings.redis, published); !good) {
    return fail(std::move(good.error()));
  }
  out.emplace_back("COMPOSE_PROFILES", profiles(settings, env_example));
  // One migrator at a time, and difyd sees its exit code (DESIGN, promise 2).
  out.emplace_back("MIGRATION_ENABLED", "false");
  return out;
}

}  // namespace difyd::release
