#include "difyd/stack/create.hpp"

#include "catch.hpp"
#include "recorded.hpp"

using namespace difyd;
using namespace difyd::stack;
using nlohmann::json;

namespace {

create_context context_for(const compose::project& p, const std::string& service, const json& expected) {
  create_context c;
  c.project = &p;
  c.service = service;
  c.dialect = dialect_of("2.26.1");
  c.image_id = expected["Labels"]["com.docker.compose.image"];
  return c;
}

}  // namespace

TEST_CASE("container bodies are those that docker compose 2.26.1 sent for Dify 1.11.4") {
  const auto p = recorded::dify();
  for (const auto& [name, service] : p->services) {
    INFO(name);
    const json expected = recorded::read(name + ".create.json");
    const auto request = create_container_request(context_for(*p, name, expected));
    REQUIRE(request);
    CHECK(request->name == "ra-dify-" + name + "-1");
    CHECK(request->platform.empty());
    CHECK(recorded::comparable(request->body) == recorded::comparable(expected));
  }
}

TEST_CASE("before API 1.44 the second network is connected, from then on it is part of the create call") {
  const auto p = recorded::dify();
  for (const std::string name : {"api", "ssrf_proxy", "worker"}) {
    INFO(name);
    const json expected = recorded::read(name + ".create.api-1.45.json");
    auto context = context_for(*p, name, expected);
    const auto old = create_container_request(context);
    REQUIRE(old);
    REQUIRE(old->connects.size() == 1);
    CHECK(old->connects[0].network == "ra-dify_ssrf_proxy_network");
    const json connect = recorded::read(name + ".connect.ssrf_proxy_network.json");
    CHECK(recorded::comparable(old->connects[0].endpoint) == recorded::comparable(connect["EndpointConfig"]));

    context.api = {1, 45};
    const auto recent = create_container_request(context);
    REQUIRE(recent);
    CHECK(recent->connects.empty());
    CHECK(recorded::comparable(recent->body) == recorded::comparable(expected));
  }
}

TEST_CASE("network and volume bodies are those of the recorded run") {
  const auto p = recorded::dify();
  const auto d = dialect_of("2.26.1");
  for (const std::string key : {"default", "ssrf_proxy_network"})
    CHECK(recorded::comparable(network_create_body(*p, key, d)) ==
          recorded::comparable(recorded::read("network." + key + ".create.json")));
  CHECK(recorded::comparable(volume_create_body(*p, "dify_es01_data", d)) ==
        recorded::comparable(recorded::read("volume.dify_es01_data.create.json")));
}

TEST_CASE("newer dialects hash networks and volumes too") {
  const auto p = recorded::dify();
  CHECK(network_create_body(*p, "default", dialect_of("2.40.3"))["Labels"].contains(
      "com.docker.compose.config-hash"));
  CHECK_FALSE(network_create_body(*p, "default", dialect_of("2.30.3"))["Labels"].contains(
      "com.docker.compose.config-hash"));
  CHECK_FALSE(volume_create_body(*p, "dify_es01_data", dialect_of("2.31.0"))["Labels"].contains(
      "com.docker.compose.config-hash"));
}

TEST_CASE("the dialect follows the version") {
  CHECK(dialect_of("2.26.1").epoch == compose::hash_epoch::v2_26);
  CHECK(dialect_of("2.40.3") == dialect{});
  CHECK(dialect_of("5.1.0") == dialect{});
  CHECK(dialect_of("nonsense") == dialect{});
  CHECK(dialect_of("2.35.0").named_volumes_as_binds == false);
  CHECK(dialect_of("v2.35.1").named_volumes_as_binds == true);
}

TEST_CASE("named volumes take the form of the dialect") {
  compose::project p;
  p.name = "p";
  p.volumes["data"].name = "p_data";
  auto& s = p.services["a"];
  s.name = "a";
  s.image = "x";
  compose::service_mount m;
  m.type = "volume";
  m.source = "data";
  m.target = "/data";
  m.volume.emplace();
  s.volumes.push_back(m);
  create_context c;
  c.project = &p;
  c.service = "a";
  c.dialect = dialect_of("2.26.1");
  CHECK(create_container_request(c)->body["HostConfig"]["Mounts"] ==
        json::array({{{"Type", "volume"}, {"Source", "p_data"}, {"Target", "/data"}}}));
  c.dialect = dialect_of("2.40.3");
  CHECK(create_container_request(c)->body["HostConfig"]["Binds"] == json::array({"p_data:/data:rw"}));
}

TEST_CASE("a service without networks gets none, namespaces become containers") {
  compose::project p;
  p.name = "p";
  auto& s = p.services["a"];
  s.name = "a";
  s.image = "x";
  create_context c;
  c.project = &p;
  c.service = "a";
  CHECK(create_container_request(c)->body["HostConfig"]["NetworkMode"] == "none");
  s.network_mode = "service:b";
  CHECK(create_container_request(c).error().code == "missing-dependency");
  c.container_ids["b"] = "0123";
  const auto request = create_container_request(c);
  CHECK(request->body["HostConfig"]["NetworkMode"] == "container:0123");
  CHECK_FALSE(request->body.contains("NetworkingConfig"));
}

TEST_CASE("a replacing container is made under a temporary name and says whom it replaces") {
  const auto p = recorded::dify();
  create_context c;
  c.project = p.get();
  c.service = "redis";
  c.replaces = "0123456789abcdef0123";
  c.inherited = {{"anonymous", "/data2", false}};
  c.dialect = dialect_of("2.26.1");
  auto request = create_container_request(c);
  CHECK(request->name == "0123456789ab_ra-dify-redis-1");
  CHECK(request->body["Labels"]["com.docker.compose.replace"] == c.replaces);
  CHECK(request->body["HostConfig"]["Mounts"][0]["Source"] == "anonymous");
  c.dialect = {};
  CHECK(create_container_request(c)->body["Labels"]["com.docker.compose.replace"] == "redis-1");
}

TEST_CASE("a one-off is no service container: no ports, no restart, its own command and name") {
  const auto p = recorded::dify();
  create_context c;
  c.project = p.get();
  c.service = "plugin_daemon";
  c.one_off.emplace();
  c.one_off->slug = std::string(64, 'a');
  c.one_off->entrypoint = compose::text_list{"flask"};
  c.one_off->command = compose::text_list{"db", "upgrade"};
  c.one_off->environment = {{"PGAPPNAME", "difyd-migrate-1"}};
  c.one_off->network = "default";
  const auto request = create_container_request(c);
  REQUIRE(request);
  CHECK(request->name == "ra-dify-plugin_daemon-run-aaaaaaaaaaaa");
  CHECK(request->body["Entrypoint"] == json::array({"flask"}));
  CHECK(request->body["Cmd"] == json::array({"db", "upgrade"}));
  CHECK(request->body["Labels"]["com.docker.compose.oneoff"] == "True");
  CHECK_FALSE(request->body["Labels"].contains("com.docker.compose.container-number"));
  CHECK(request->body["HostConfig"]["RestartPolicy"]["Name"] == "no");
  CHECK_FALSE(request->body["HostConfig"].contains("PortBindings"));
  CHECK(request->body["NetworkingConfig"]["EndpointsConfig"]["ra-dify_default"]["Aliases"] ==
        json::array({request->name}));
}

TEST_CASE("start_interval needs an engine that knows it") {
  compose::project p;
  auto& s = p.services["a"];
  s.name = "a";
  s.image = "x";
  s.healthcheck.emplace();
  s.healthcheck->start_interval = std::chrono::seconds(1);
  create_context c;
  c.project = &p;
  c.service = "a";
  CHECK(create_container_request(c).error().code == "unsupported-by-engine");
  c.api = {1, 44};
  CHECK(create_container_request(c)->body["Healthcheck"]["StartInterval"] == 1000000000);
}

TEST_CASE("a secret's archive is one that tar reads") {
  const auto tar = tar_of({"/run/secrets/key", "hello", 0400, 5, 6});
  REQUIRE(tar);
  CHECK(tar->size() == 4 * 512);
  CHECK(tar->substr(0, 16) == "/run/secrets/key");
  CHECK(tar->substr(100, 7) == "0000400");
  CHECK(tar->substr(512, 5) == "hello");
  CHECK_FALSE(tar_of({"/", "x"}));
}
