#include "probing.hpp"

#include <algorithm>

#include "difyd/health/keeper.hpp"
#include "difyd/health/probes.hpp"
#include "difyd/release/roles.hpp"
#include "known.hpp"
#include "links.hpp"
#include "maintenance.hpp"
#include "page.hpp"

namespace difyd::supervisor {
namespace {

std::string value_of(const release_ptr& release, const char* key, std::string fallback) {
  if (!release) return fallback;
  const auto found = release->environment.values.find(key);
  return found == release->environment.values.end() || found->second.empty() ? fallback : found->second;
}

std::vector<health::database_target> databases(const world& w) {
  std::vector<health::database_target> targets;
  if (!w.database) return targets;
  health::database_target main;
  main.where = w.database->where();
  main.name = w.settings.database.main;
  main.plugin = w.settings.database.plugin;
  main.has_revision = true;
  main.server = w.database;
  targets.push_back(main);
  const auto& vector = w.settings.vector;
  if (vector.kind == "pgvector" && !vector.host.empty()) {
    health::database_target target;
    target.subject = "database.vector";
    target.where = w.database->where();
    target.where.host = vector.host;
    target.where.port = vector.port;
    target.where.user = vector.user;
    target.where.password = vector.password.reveal();
    target.name = vector.database;
    target.needs_vector = true;
    targets.push_back(std::move(target));
  }
  return targets;
}

std::optional<health::redis_target> redis(const world& w) {
  const auto& settings = w.settings.redis;
  const auto release = *w.in_force.get();
  health::redis_target target;
  if (settings.kind == "external") {
    target.host = settings.host;
    target.port = static_cast<std::uint16_t>(settings.port);
    target.user = settings.user;
    target.password = settings.password.reveal();
    target.tls = settings.tls;
    return target;
  }
  // Its password is the release's.
  if (!release) return std::nullopt;
  const std::string service = value_of(release, "REDIS_HOST", "redis");
  const auto now = w.observed.get();
  for (const auto* container : stack::containers_of(*now, service)) {
    // Its own health check says when it is worth asking.
    if (!container->running() || container->health == "starting") continue;
    for (const auto& [network, endpoint] : container->networks)
      if (!endpoint.address.empty()) target.host = endpoint.address;
  }
  target.password = value_of(release, "REDIS_PASSWORD", "");
  return target.host.empty() ? std::nullopt : std::optional(target);
}

// What the stack should show now; nothing while an operation takes it apart on purpose.
void expect_stack(health::probe_plan& plan, const world& w) {
  const auto release = *w.in_force.get();
  if (!release || (w.stands.get()->at != phase::serving && !fallen(w))) return;
  for (const auto& [name, service] : release->project.services)
    if (!kept_down(w, name)) plan.services.push_back({name, release::one_shot(release->project, name)});
  plan.observed = w.observed.get();
  if (closed(w)) return;  // the page answers there
  if (const auto port = published_port(release->project)) {
    plan.ports.push_back({"port.api", "127.0.0.1", *port, "/console/api/ping"});
    plan.ports.push_back({"port.web", "127.0.0.1", *port, "/signin"});
  }
}

health::probe_plan plan_of(world& w) {
  health::probe_plan plan;
  plan.storage = w.storage;
  plan.storage_expected = storage_expectation(w);
  // No owner: the world outlives every probe.
  plan.engine = std::shared_ptr<engine::client>(std::shared_ptr<void>(), &w.engine);
  plan.data_root = w.data_root;
  plan.databases = databases(w);
  plan.redis = redis(w);
  expect_stack(plan, w);
  return plan;
}

finding no_database(const Error& cause) {
  finding found;
  found.subject = "database.main";
  found.code = cause.code;
  found.level = severity::warning;
  found.detail = cause.message;
  found.remedy = "It comes up with the stack: difyd up";
  return found;
}

finding no_backup() {
  finding found;
  found.subject = "backup";
  found.code = "backup-none";
  found.level = severity::warning;
  found.detail = "no backup is configured: an upgrade that fails half-way cannot be taken back by difyd";
  found.remedy = "Take backups of the databases and the storage root by other means before each upgrade";
  return found;
}

}  // namespace

std::vector<finding> findings_now(const world& w) {
  known_facts facts;
  facts.refused = w.refused;
  facts.edited_bundle = w.edited_bundle;
  facts.edited_overlay = w.edited_overlay;
  facts.not_kept = w.not_kept;
  if (w.book) facts.book = w.book->current();
  facts.backups = *w.backups.get();
  const auto stands = w.stands.get();
  facts.at = stands->at;
  facts.message = stands->message;
  facts.options = stands->options;
  facts.since = stands->since;
  facts.configured = w.settings.version;
  if (const auto release = *w.in_force.get()) facts.secret_key = release->environment.secret_key;
  facts.now = std::chrono::system_clock::now();
  if (w.maintenance) facts.maintenance_since = w.maintenance->since;
  if (w.maintenance) facts.maintenance_reason = w.maintenance->reason;
  auto all = known_findings(facts);
  std::vector<std::string> own;
  if (w.settings.redis.kind == "bundled") own.push_back("redis");
  if (w.settings.database.kind == "bundled") own.push_back("database");
  for (const auto& found : *w.findings.get())
    if (meant(found, facts.at, own)) all.push_back(found);
  return all;
}

task<std::vector<finding>> probe_everything(world& w) {
  const auto begun = std::chrono::steady_clock::now();
  const auto linked = link_database(w);
  if (w.data_root.empty())
    if (auto info = co_await w.engine.info(std::chrono::seconds(5))) w.data_root = info->data_root;
  auto found = co_await health::run_all(plan_of(w));
  if (!linked) found.push_back(no_database(linked.error()));
  if (w.settings.upgrade.backup == "none") found.push_back(no_backup());
  found = health::keep_since(*w.findings.get(), std::move(found), std::chrono::system_clock::now());
  w.findings.set(std::move(found));
  w.probe_runs["all"] = {std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begun),
                         std::chrono::system_clock::now()};
  co_return findings_now(w);
}

task<void> keep_probing(world& w) {
  answering dify;
  for (;;) {
    co_await probe_everything(w);
    // The start brings it back; an operation knows itself what it takes down.
    const auto lost = dify.lost(*w.findings.get());
    if (lost && w.stands.get()->at == phase::serving && !w.chief.busy_with(priority::converge))
      stand(w, phase::starting, "Dify does not answer: " + lost->detail);
    co_await pause(w.settings.health.probe_interval);
  }
}

}  // namespace difyd::supervisor
