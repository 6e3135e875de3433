#include "probe_database.hpp"

#include <algorithm>

#include "difyd/health/probes.hpp"
#include "links.hpp"
#include "readiness.hpp"

namespace difyd::supervisor {
namespace {

using findings = std::vector<finding>;

std::string value_of(const release_ptr& release, const char* key, std::string fallback) {
  if (!release) return fallback;
  const auto found = release->environment.values.find(key);
  return found == release->environment.values.end() || found->second.empty() ? fallback : found->second;
}

bool through_network(const std::string& host) {
  return !host.empty() && host.front() != '/' && host != "localhost" && !host.starts_with("127.") &&
         host != "::1";
}

finding not_up(const Error& cause) {
  return {
      "database.main", cause.code, severity::warning, cause.message, "It comes up with the stack: difyd up",
      false,           {}};
}

health::database_target main_target(const world& w) {
  health::database_target target;
  target.server = w.database;
  target.where = w.database->where();
  target.name = w.settings.database.main;
  target.plugin = w.settings.database.plugin;
  target.has_revision = true;
  target.through_network = w.settings.database.kind == "external" && through_network(target.where.host);
  // An upgrade or a restore moves it on purpose.
  if (w.book && w.book->current().deployed && w.stands.get()->at == phase::serving)
    target.expected_revision = w.book->current().deployed->revision.id;
  return target;
}

// Another machine's too: what looks like the end of a migration may be the end of this daemon's sight.
task<void> look_for_migrators(world& w, std::shared_ptr<database::server> database) {
  const auto& main = w.settings.database.main;
  const auto sessions = co_await database->sessions(main, {main}, {});
  if (!sessions) co_return;
  w.migrator_seen.set(std::ranges::any_of(
      *sessions, [](const auto& each) { return each.application_name.starts_with("difyd-migrate"); }));
}

health::database_target vector_target(const world& w) {
  const auto& vector = w.settings.vector;
  health::database_target target;
  target.subject = "database.vector";
  target.where = w.database->where();
  target.where.host = vector.host;
  target.where.port = vector.port;
  target.where.user = vector.user;
  target.where.password = vector.password.reveal();
  target.where.keys = "vector";
  target.name = vector.database;
  target.needs_vector = true;
  target.through_network = through_network(target.where.host);
  return target;
}

// Its password is the release's; its own health check says when it is worth asking.
std::optional<health::redis_target> bundled_redis(const world& w) {
  const auto release = *w.in_force.get();
  if (!release) return std::nullopt;
  health::redis_target target;
  const auto now = w.observed.get();
  for (const auto* container : stack::containers_of(*now, value_of(release, "REDIS_HOST", "redis"))) {
    if (!container->running() || container->health == "starting") continue;
    for (const auto& [network, endpoint] : container->networks)
      if (!endpoint.address.empty()) target.host = endpoint.address;
  }
  target.password = value_of(release, "REDIS_PASSWORD", "");
  return target.host.empty() ? std::nullopt : std::optional(target);
}

std::optional<health::redis_target> redis_target(const world& w) {
  const auto& settings = w.settings.redis;
  if (settings.kind != "external") return bundled_redis(w);
  health::redis_target target;
  target.host = settings.host;
  target.port = static_cast<std::uint16_t>(settings.port);
  target.user = settings.user;
  target.password = settings.password.reveal();
  target.tls = settings.tls;
  return target;
}

// A service of the stack by its name in the stack's network: its address is what can be asked from here.
std::string reachable(const world& w, std::string endpoint) {
  const auto begin = endpoint.find("://");
  if (begin == endpoint.npos) return endpoint;
  const auto host = endpoint.substr(begin + 3, endpoint.find_first_of(":/", begin + 3) - begin - 3);
  const auto address = address_of(*w.observed.get(), w.settings.project, host);
  return address.empty() ? endpoint : endpoint.replace(begin + 3, host.size(), address);
}

}  // namespace

task<findings> look_at_database(world& w) {
  if (auto linked = link_database(w); !linked) co_return findings{not_up(linked.error())};
  const auto database = w.database;
  auto found = co_await health::probe_database(main_target(w));
  if (worst(found) < severity::error) co_await look_for_migrators(w, database);
  co_return found;
}

task<findings> look_at_vector(world& w) {
  const auto& vector = w.settings.vector;
  if (vector.kind != "pgvector" || vector.host.empty() || !link_database(w)) co_return findings{};
  auto target = vector_target(w);
  if (!w.vector_database) w.vector_database = std::make_shared<database::server>(w.executor, target.where);
  target.server = w.vector_database;
  co_return co_await health::probe_database(std::move(target));
}

task<findings> look_at_redis(world& w) {
  const auto target = redis_target(w);
  if (!target) co_return findings{};
  co_return co_await health::probe_redis(*target);
}

task<findings> look_at_object_storage(world& w) {
  const auto release = *w.in_force.get();
  const auto endpoint = release ? health::object_endpoint(release->environment.values) : std::string();
  if (endpoint.empty()) co_return findings{};
  co_return co_await health::probe_object_storage(reachable(w, endpoint));
}

}  // namespace difyd::supervisor
