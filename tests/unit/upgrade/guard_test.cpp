#include "difyd/upgrade/guard.hpp"

#include "catch.hpp"
#include "difyd/stack/labels.hpp"

using namespace difyd;
using namespace difyd::upgrade;

namespace {

engine::container_summary container(const std::string& service, const std::string& image,
                                    const std::string& project = "dify") {
  engine::container_summary c;
  c.id = "id-" + service;
  c.names = {project + "-" + service + "-1"};
  c.image = image;
  c.labels = {{std::string(stack::label::project), project}, {std::string(stack::label::service), service}};
  return c;
}

guarded rules(bool started) {
  guarded g;
  g.id = "u1";
  g.project = "dify";
  g.role = "dify";
  g.started = started;
  g.allowed["db"];
  if (started) {
    g.allowed["nginx"];
    g.allowed["api"] = "langgenius/dify-api:2";
  }
  return g;
}

database::session_info session(int pid, const std::string& name, const std::string& address,
                               const std::string& user = "dify") {
  database::session_info s;
  s.pid = pid;
  s.user = user;
  s.application_name = name;
  s.client_address = address;
  return s;
}

}  // namespace

TEST_CASE("a session over a socket is nobody's of the stack, though a container may have no address") {
  const auto found = intruders(rules(true), {session(9, "somebody", "", "dify")}, {"", "10.0.0.2"});
  REQUIRE(found.size() == 1);
  CHECK(found.front().session == 9);
}

TEST_CASE("containers that an upgrade did not start") {
  auto migrator = container("api", "langgenius/dify-api:2");
  migrator.labels[upgrade_label] = "u1";
  auto stale = migrator;
  stale.labels[upgrade_label] = "u0";
  stale.labels[std::string(stack::label::one_off)] = "True";
  auto client = container("difyd-client", "postgres:15");
  client.labels[std::string(stack::label::one_off)] = "True";
  client.labels[purpose_label] = client_purpose;
  struct {
    const char* what;
    engine::container_summary seen;
    bool while_silent;
    bool while_started;
  } const table[] = {
      {"a database of the stack", container("db", "postgres:15"), true, true},
      {"this upgrade's migrator", migrator, true, true},
      {"a dump of a backup", client, true, true},
      {"another upgrade's migrator", stale, false, false},
      {"the old version", container("api", "langgenius/dify-api:1"), false, false},
      {"the new version", container("api", "langgenius/dify-api:2"), false, true},
      {"the entrance", container("nginx", "nginx:latest"), false, true},
      {"a service that the new version does not know", container("old", "x"), false, false},
      {"another project", container("api", "langgenius/dify-api:1", "neighbour"), true, true},
  };
  for (const auto& each : table) {
    CAPTURE(each.what);
    CHECK(intruders(rules(false), {each.seen}).empty() == each.while_silent);
    CHECK(intruders(rules(true), {each.seen}).empty() == each.while_started);
  }
  const auto found = intruders(rules(false), {container("api", "langgenius/dify-api:1")});
  REQUIRE(found.size() == 1);
  CHECK(found[0].container == "id-api");
  CHECK(found[0].text == "container dify-api-1 (langgenius/dify-api:1)");
}

TEST_CASE("sessions that an upgrade did not start") {
  const std::vector<database::session_info> all = {
      session(1, "difyd", "10.0.0.2"),
      session(2, "difyd-migrate-u1", "172.18.0.9"),
      session(3, "dify-1-api", "10.0.0.2"),
      session(4, "", "10.0.0.7"),
      session(5, "psql", "10.0.0.7", "postgres"),
      session(6, "dify-2-api", "172.18.0.4"),
  };
  const auto pids = [&](bool started) {
    std::vector<int> list;
    for (const auto& each : intruders(rules(started), all, {"10.0.0.2", "172.18.0.4"}))
      list.push_back(each.session);
    return list;
  };
  // An administrator is nobody's Dify; a migrator is waited for, never ended.
  CHECK(pids(false) == std::vector<int>{3, 4, 6});
  // From difyd's own address and from its containers come the sessions of the new version.
  CHECK(pids(true) == std::vector<int>{4});
  // Without a role, in a hold, nobody's session is ended.
  auto hold = rules(false);
  hold.role.clear();
  CHECK(intruders(hold, {session(7, "psql", "10.0.0.7", "dify"), session(8, "", "", "")}, {}).empty());
}
