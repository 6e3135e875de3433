#include "real_bundles.hpp"

#include "difyd/release/hop.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/release/working_copy.hpp"

using namespace difyd;

namespace {

std::string variable(const compose::project& project, const char* service, const char* name) {
  const auto& environment = project.services.at(service).environment;
  const auto each = environment.find(name);
  return each == environment.end() ? "(none)" : each->second.value_or("(null)");
}

}  // namespace

TEST_CASE("real releases with their own databases") {
  const real_bundles real;
  if (real.versions.empty()) WARN("skipped: no real Dify releases in " << real_folder());
  for (const auto& version : real.versions) {
    CAPTURE(version.text());
    const auto made = release::preview(real.settings(""), version, {});
    if (!made) FAIL(sentence(made.error()));
    const auto& project = made->project;
    CHECK(release::api_service(project) == "api");
    CHECK(variable(project, "api", "MIGRATION_ENABLED") == "false");
    CHECK(variable(project, "worker", "MIGRATION_ENABLED") == "false");
    CHECK(project.services.contains(variable(project, "api", "DB_HOST")));
    CHECK(project.services.contains("weaviate"));
    CHECK(release::nginx_service(project) == "nginx");
    CHECK(release::refuse_shared_data(project));
    // What is derived from an environment in force is that environment again.
    const auto again = release::preview(real.settings(""), version, made->environment.text);
    REQUIRE(again);
    CHECK(again->environment.text == made->environment.text);
    CHECK(again->project == project);
  }
}

// FACTS, side-image versions and section g.
TEST_CASE("real hops that change a data service") {
  const real_bundles real;
  if (real.versions.size() < 6) return;
  const auto project = [&](const char* text) {
    auto made = release::preview(real.settings(""), *parse_version(text), {});
    REQUIRE(made);
    return made->project;
  };
  const auto changes = [&](const char* from, const char* to) {
    const auto before = project(from), after = project(to);
    std::string text;
    for (const auto& each : release::changes_of_services(before, after).data)
      text += each.service + " " + std::string(release::to_text(each.kind)) + " " + each.was + ";";
    return text;
  };
  CHECK(changes("1.11.3", "1.11.4") == "");
  CHECK(changes("1.9.2", "1.11.3") == "db_postgres renamed db;weaviate settings ;");
  CHECK(changes("1.13.0", "1.14.0") == "db_postgres settings ;");
}

TEST_CASE("real releases with external servers and a password that needs quotes") {
  const real_bundles real;
  for (const auto& version : real.versions) {
    CAPTURE(version.text());
    const auto settings = real.settings(
        "database: {kind: external, host: 10.0.0.3, user: dify, password_file: /p}\n"
        "vector: {kind: pgvector, host: 10.0.0.4}\nredis: {kind: external, host: 10.0.0.5, password_file: "
        "/redis}\n");
    const auto made = release::preview(settings, version, {});
    if (!made) FAIL(sentence(made.error()));
    const auto& project = made->project;
    CHECK_FALSE(project.services.contains("db_postgres"));
    CHECK_FALSE(project.services.contains("pgvector"));
    CHECK(variable(project, "api", "DB_PASSWORD") == "pa'ss$w0rd\\");
    CHECK(variable(project, "plugin_daemon", "DB_PASSWORD") == "pa'ss$w0rd\\");
    CHECK(variable(project, "plugin_daemon", "DB_DATABASE") == "dify_plugin");
    CHECK(variable(project, "worker", "PGVECTOR_HOST") == "10.0.0.4");
    CHECK(variable(project, "worker", "CELERY_BROKER_URL") == "redis://:re%24d%2Fis%231@10.0.0.5:6379/1");
    CHECK(variable(project, "api", "REDIS_HOST") == "10.0.0.5");
  }
}
