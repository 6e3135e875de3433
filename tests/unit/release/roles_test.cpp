#include "difyd/release/roles.hpp"

#include "catch.hpp"

using namespace difyd;

TEST_CASE("sandbox and forward proxy stand by, whatever they are called and where their images come from") {
  compose::project project;
  project.services["sandbox"].image = "registry.example.com/langgenius/dify-sandbox:0.2.12";
  project.services["outbound"].image = "ubuntu/squid:latest";
  for (const auto* image :
       {"langgenius/dify-api:1", "langgenius/dify-web:1", "langgenius/dify-plugin-daemon:1", "nginx:latest",
        "redis:6", "postgres:15", "busybox:latest"})
    project.services[image].image = image;
  CHECK(release::bystanders(project) == std::vector<std::string>{"outbound", "sandbox"});
}

TEST_CASE("who only sees to the ownership of files") {
  compose::project project;
  for (const auto* name : {"init_permissions", "console", "migration"}) {
    project.services[name].name = name;
    project.services[name].image = "busybox:latest";
    project.services[name].restart = "no";
  }
  project.services["console"].restart = "always";
  project.services["migration"].image = "example.com/migration:1";
  CHECK(release::preparers(project) == std::vector<std::string>{"init_permissions"});
}

TEST_CASE("a service whose end is its work done") {
  struct row {
    const char* restart;
    const char* awaited;  // the condition on which another service waits; nullptr: none does
    bool one_shot;
  };
  const row rows[] = {{"no", nullptr, true},
                      {"no", "service_completed_successfully", true},
                      {"no", "service_started", true},
                      {"", "service_completed_successfully", true},
                      {"always", "service_completed_successfully", true},
                      {"", nullptr, false},
                      {"", "service_healthy", false},
                      {"always", "service_started", false},
                      {"on-failure", nullptr, false},
                      {"unless-stopped", nullptr, false}};
  for (const auto& each : rows) {
    INFO(each.restart << " " << (each.awaited ? each.awaited : "-"));
    compose::project project;
    project.services["init"].restart = each.restart;
    if (each.awaited) project.services["api"].depends_on["init"].condition = each.awaited;
    CHECK(release::one_shot(project, "init") == each.one_shot);
  }
  CHECK_FALSE(release::one_shot(compose::project{}, "init"));
}
