#include "difyd/release/hop.hpp"

#include <functional>

#include "catch.hpp"

using namespace difyd;
using namespace difyd::release;

namespace {

compose::service_mount bound(const std::string& source, const std::string& target) {
  compose::service_mount mount;
  mount.type = "bind";
  mount.source = source;
  mount.target = target;
  return mount;
}

void add(compose::project& to, const std::string& name, const std::string& image,
         const std::string& below = {}) {
  auto& service = to.services[name];
  service.name = name;
  service.image = image;
  if (!below.empty()) service.volumes = {bound(to.working_dir + "/volumes/" + below, "/data")};
}

compose::project stack(const std::string& version) {
  compose::project project;
  project.working_dir = "/var/lib/difyd/releases/dify-" + version + "/docker";
  add(project, "api", "langgenius/dify-api:" + version, "app/storage");
  add(project, "plugin_daemon", "langgenius/dify-plugin-daemon:" + version, "plugin_daemon");
  add(project, "redis", "redis:6-alpine", "redis/data");
  return project;
}

}  // namespace

TEST_CASE("what a hop does to the data services") {
  using enum data_change_kind;
  using projects = std::function<void(compose::project & before, compose::project & after)>;
  struct row {
    const char* about;
    projects make;
    std::vector<data_change> wanted;
  };
  const row rows[] = {{"nothing: the folder of the working copy is no change, nor is another plugin daemon",
                       [](auto&, auto&) {},
                       {}},
                      {"db becomes db_postgres on the same data",
                       [](auto& before, auto& after) {
                         add(before, "db", "postgres:15", "db/data");
                         add(after, "db_postgres", "postgres:15", "db/data");
                       },
                       {{"db_postgres", renamed, "db", "postgres:15", false, {}}}},
                      {"renamed, with another image and on the folder above",
                       [](auto& before, auto& after) {
                         add(before, "db", "postgres:15", "db/data");
                         add(after, "db_postgres", "postgres:16", "db");
                       },
                       {{"db_postgres", renamed, "db", "postgres:16", true, {"volumes"}}}},
                      {"another service with data of its own is no new name",
                       [](auto& before, auto& after) {
                         add(before, "db", "postgres:15", "db/data");
                         add(after, "mysql", "mysql:8", "mysql/data");
                       },
                       {{"db", dropped, "", "", false, {}}, {"mysql", added, "", "mysql:8", false, {}}}},
                      {"another image",
                       [](auto& before, auto& after) {
                         add(before, "weaviate", "weaviate:1.19", "weaviate");
                         add(after, "weaviate", "weaviate:1.27", "weaviate");
                       },
                       {{"weaviate", image, "weaviate:1.19", "weaviate:1.27", true, {}}}},
                      {"other settings",
                       [](auto& before, auto& after) {
                         before.services["redis"].environment = {{"A", "1"}, {"B", "1"}};
                         after.services["redis"].environment = {{"A", "1"}, {"B", "2"}, {"C", "3"}};
                         after.services["redis"].command = compose::text_list{"redis-server"};
                         after.services["redis"].restart = "always";
                       },
                       {{"redis",
                         settings,
                         "",
                         "redis:6-alpine",
                         false,
                         {"environment B", "environment C", "command", "others"}}}}};
  for (const auto& each : rows) {
    INFO(each.about);
    auto before = stack("1.9.2"), after = stack("1.10.1");
    each.make(before, after);
    CHECK(changes_of_services(before, after).data == each.wanted);
  }
}

TEST_CASE("which services come and go") {
  auto before = stack("1.15.0"), after = stack("1.16.0");
  before.services["certbot"];
  after.services["agent_backend"];
  const auto changes = changes_of_services(before, after);
  CHECK(changes.added == std::vector<std::string>{"agent_backend"});
  CHECK(changes.removed == std::vector<std::string>{"certbot"});
}

TEST_CASE("two services never run on one data directory") {
  struct row {
    const char* one;
    const char* other;
    bool refused;
  };
  const row rows[] = {
      {"db/data", "db/data", true},   {"db", "db/data", true}, {"db/data", "db/data/pgdata", true},
      {"db/data", "db/other", false}, {"db", "db2", false},    {"app/storage", "app/storage", false}};
  for (const auto& each : rows) {
    INFO(each.one << " " << each.other);
    auto project = stack("1.12.1");
    add(project, "db", "postgres:15", each.one);
    add(project, "db_postgres", "postgres:15", each.other);
    const auto result = refuse_shared_data(project);
    CHECK(result.has_value() != each.refused);
    if (!result) {
      CHECK(result.error().code == "shared-data");
      CHECK(result.error().message.starts_with("cannot run db and db_postgres at once: "));
    }
  }
  auto project = stack("1.12.1");
  add(project, "copy", "copy:1", "db/data");
  add(project, "db", "postgres:15", "db/data");
  project.services["copy"].volumes[0].read_only = true;
  CHECK(refuse_shared_data(project));
}
