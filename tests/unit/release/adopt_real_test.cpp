// Installations of real releases: what they become has the same environment again.
#include "difyd/base/durable_file.hpp"
#include "difyd/config/table.hpp"
#include "difyd/release/adopt.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/working_copy.hpp"
#include "real_bundles.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

struct real_release {
  bundle from;
  text_map published;
  adoption_facts facts;
  text_map given_to_api;  // with the .env as published
};

real_release open(const real_bundles& real, const version& which) {
  auto settings = real.settings("");
  auto from = find_bundle(settings.releases.source, which);
  REQUIRE(from);
  auto made = preview(settings, which, {});
  REQUIRE(made);
  auto published = read_environment(from->env_example);
  REQUIRE(published);
  real_release out{std::move(*from), std::move(*published), {}, {}};
  auto& as_published = out.given_to_api;
  out.facts.base = config::defaults();
  out.facts.base.storage.root = "/srv/dify";
  out.facts.base.version = which;
  out.facts.secrets = "/etc/difyd/secrets";
  out.facts.env_example = out.from.env_example;
  out.facts.whole_env = out.from.layout == layout::env_file;
  auto text = read_file(out.from.folder + "/" + out.from.compose_file);
  REQUIRE(text);
  out.facts.named = named_keys(*text);
  for (const auto* each : {&made->project.services, &made->project.disabled_services})
    for (const auto& [name, service] : *each) out.facts.services.insert(name);
  out.facts.own_services = out.facts.services;
  for (const auto& [key, value] : made->project.services.at("api").environment)
    if (key != "MIGRATION_ENABLED") as_published[key] = value.value_or("");
  out.facts.environment = out.published;
  return out;
}

void check_round_trip(const real_release& of, const name_set& may_change) {
  auto out = adopt(of.facts);
  if (!out) FAIL(sentence(out.error()));
  const auto settings = read_back(out->made, {});
  REQUIRE(settings);
  const auto now = derive_environment(of.facts.env_example, *settings, std::nullopt);
  REQUIRE(now);
  name_set named(out->report.obsolete.begin(), out->report.obsolete.end());
  for (const auto& each : out->report.changed) {
    CAPTURE(each.key, each.before, each.now);
    CHECK(may_change.contains(each.key));
    named.insert(each.key);
  }
  for (const auto& [key, value] : of.facts.environment) {
    const auto is = now->values.find(key);
    CAPTURE(key, value);
    CHECK((named.contains(key) || (is != now->values.end() && is->second == value)));
  }
}

void set(real_release& of, const text_map& values) {
  for (const auto& [key, value] : values)
    if (of.published.contains(key) || key.starts_with("MY_")) of.facts.environment[key] = value;
}

}  // namespace

TEST_CASE("every real release is adopted as published, and with passwords of its own") {
  const real_bundles real;
  if (real.versions.empty()) WARN("skipped: no real Dify releases in " << real_folder());
  for (const auto& version : real.versions) {
    CAPTURE(version.text());
    auto of = open(real, version);
    of.facts.given_to_api = of.given_to_api;
    check_round_trip(of, {"MIGRATION_ENABLED", "COMPOSE_PROFILES"});
    of.facts.given_to_api.clear();
    set(of, {{"SECRET_KEY", "it's $ecret \\ \"and\" #long"},
             {"DB_PASSWORD", "pa'ss$w0rd\\"},
             {"POSTGRES_PASSWORD", "pa'ss$w0rd\\"},
             {"REDIS_PASSWORD", "r3dis"},
             {"CELERY_BROKER_URL", "redis://:r3dis@redis:6379/1"},
             {"LOG_TZ", "Asia/Shanghai"},
             {"NGINX_CLIENT_MAX_BODY_SIZE", "1G"},
             {"CSP_WHITELIST", "https://a https://b"},
             {"SMTP_PASSWORD", ""},
             {"CONSOLE_WEB_URL", "https://dify.example.com/#/x"},
             {"PLUGIN_DAEMON_KEY", ""},
             {"MY_OWN", "x: {y} # z"}});
    check_round_trip(of, {"MIGRATION_ENABLED", "COMPOSE_PROFILES"});
  }
}

TEST_CASE("every real release is adopted with servers that others run") {
  const real_bundles real;
  for (const auto& version : real.versions) {
    CAPTURE(version.text());
    auto of = open(real, version);
    set(of, {{"DB_HOST", "10.30.0.3"},
             {"DB_USERNAME", "dify"},
             {"DB_PASSWORD", "pa'ss$w0rd\\"},
             {"PGUSER", "dify"},
             {"POSTGRES_PASSWORD", "pa'ss$w0rd\\"},
             {"VECTOR_STORE", "pgvector"},
             {"PGVECTOR_HOST", "10.30.0.4"},
             {"PGVECTOR_PASSWORD", "vec"},
             {"REDIS_HOST", "10.40.0.3"},
             {"REDIS_PASSWORD", "red"},
             {"CELERY_BROKER_URL", "redis://:red@10.40.0.3:6379/4"},
             {"STORAGE_TYPE", "s3"},
             {"S3_ENDPOINT", "https://sss.pigsty:9000"},
             {"S3_SECRET_KEY", "s3cret"},
             {"COMPOSE_PROFILES", ""}});
    check_round_trip(of, {"MIGRATION_ENABLED", "COMPOSE_PROFILES"});
  }
}

TEST_CASE("Pigsty's own folder") {
  const real_bundles real;
  const auto text = read_file(real_folder() + "/pigsty-1.15/.env");
  const auto version = *parse_version("1.15.0");
  if (!text || std::ranges::find(real.versions, version) == real.versions.end()) return;
  auto of = open(real, version);
  of.facts.environment = *read_environment(*text);
  of.facts.published_port = "5001";
  check_round_trip(of, {"MIGRATION_ENABLED", "EXPOSE_NGINX_PORT"});
  const auto out = adopt(of.facts);
  REQUIRE(out);
  const auto& settings = out->made.settings;
  CHECK(settings.database.kind == "external");
  CHECK(settings.database.host == "10.10.10.10");
  CHECK(settings.vector.kind == "pgvector");
  CHECK(settings.vector.host == "10.10.10.10");
  CHECK(settings.redis.kind == "bundled");
  CHECK_FALSE(settings.profiles);
  CHECK(settings.environment.at("EXPOSE_NGINX_PORT") == "5001");
  CHECK(std::ranges::find(out->report.unknown, "DIFY_DATA") != out->report.unknown.end());
  CHECK(std::ranges::find(out->report.defaulted, "SECRET_KEY") == out->report.defaulted.end());
}

TEST_CASE("a two-year-old .env that was carried along") {
  const real_bundles real;
  const auto now = *parse_version("1.11.4"), then = *parse_version("1.0.0");
  if (real.versions.size() < 6) return;
  auto of = open(real, now);
  const auto old = open(real, then);
  of.facts.environment = old.published;
  of.facts.environment["DB_PASSWORD"] = of.facts.environment["POSTGRES_PASSWORD"] = "own";
  for (const auto& [key, value] : old.published) of.facts.known_elsewhere.insert(key);
  check_round_trip(of, {"DB_HOST", "COMPOSE_PROFILES", "MIGRATION_ENABLED"});
  const auto out = adopt(of.facts);
  REQUIRE(out);
  CHECK(out->made.settings.database.kind == "bundled");
  CHECK(out->made.settings.database.password.reveal() == "own");
  CHECK_FALSE(out->made.settings.profiles);
  for (const char* key : {"POSTGRES_PASSWORD", "PGUSER", "ORACLE_HOST"}) {
    CAPTURE(key);
    CHECK(std::ranges::find(out->report.obsolete, key) != out->report.obsolete.end());
    CHECK_FALSE(out->made.settings.environment.contains(key));
    CHECK_FALSE(out->made.settings.environment_files.contains(key));
  }
}
