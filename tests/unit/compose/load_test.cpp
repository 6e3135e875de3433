// The typed project: what the engine's requests are made of.
#include <difyd/compose/canonical.hpp>

#include "catch.hpp"
#include "memory_reader.hpp"

using namespace difyd::compose;
using namespace std::chrono_literals;

namespace {

service only_service(const std::string& keys, text_map environment = {}) {
  auto result =
      load_text(service_text(keys) + "\nvolumes: {vol: }\nnetworks: {n: , m: }\n", std::move(environment));
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return result->project.services.at("s");
}

}  // namespace

TEST_CASE("ports in short form") {
  struct row {
    const char* port;
    const char* printed;  // ip published target protocol, joined by spaces
  };
  const auto r =
      GENERATE(row{"80", "||80|tcp"}, row{"8080:80", "|8080|80|tcp"},
               row{"127.0.0.1:53:53/udp", "127.0.0.1|53|53|udp"}, row{"9000-9002:80", "|9000-9002|80|tcp"},
               row{"[::1]:1:2", "::1|1|2|tcp"}, row{":80", "||80|tcp"}, row{"53:53/tcp/udp", "|53|53|tcp"},
               row{"127.0.0.1::80", "127.0.0.1||80|tcp"});
  INFO(r.port);
  const auto s = only_service("ports: ['" + std::string(r.port) + "']");
  REQUIRE(s.ports.size() == 1);
  const auto& p = s.ports[0];
  CHECK(p.host_ip + "|" + p.published + "|" + std::to_string(p.target) + "|" + p.protocol == r.printed);
  CHECK(p.mode == "ingress");
}

TEST_CASE("port ranges expand pairwise, in lexical order") {
  const auto s = only_service("ports: ['9-10:99-100']");
  REQUIRE(s.ports.size() == 2);
  CHECK(s.ports[0].target == 100);
  CHECK(s.ports[0].published == "10");
  CHECK(s.ports[1].target == 99);
}

TEST_CASE("mounts in short form") {
  const auto s =
      only_service("volumes: ['./a:/a:ro,z', 'vol:/v/:nocopy', '/d', '~/h:/h']", {{"HOME", "/root"}});
  REQUIRE(s.volumes.size() == 4);
  CHECK(s.volumes[0] ==
        service_mount{"bind", "/p/a", "/a", true, "", bind_options{"z", "", true, ""}, {}, {}, {}, {}});
  CHECK(s.volumes[1] ==
        service_mount{"volume", "vol", "/v", false, "", {}, volume_options{{}, true, ""}, {}, {}, {}});
  CHECK(s.volumes[2] == service_mount{"volume", "", "/d", false, "", {}, {}, {}, {}, {}});
  CHECK(s.volumes[3].source == "/root/h");
}

TEST_CASE("a command is unset, empty or given") {
  CHECK(!only_service("init: true").command);
  CHECK(!only_service("command: null").command);
  CHECK(only_service("command: ''").command == text_list{});
  CHECK(only_service("command: []").command == text_list{});
  CHECK(only_service("command: a 'b c'").command == text_list{"a", "b c"});
}

TEST_CASE("environment values") {
  const auto s = only_service("environment: {A: 1.0, B: , C: '${X}', D: True, E: }",
                              {{"X", "1.0"}, {"B", "from process"}});
  CHECK(s.environment ==
        environment_map{{"A", "1"}, {"B", "from process"}, {"C", "1.0"}, {"D", "true"}, {"E", std::nullopt}});
}

TEST_CASE("limits and times") {
  const auto s = only_service(
      "mem_limit: 64m, cpus: '0.5', stop_grace_period: 1m30s, healthcheck: {test: x, interval: 1500ms, "
      "retries: 3}, "
      "ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}, deploy: {resources: {limits: {cpus: 0.5, memory: "
      "64m}}}");
  CHECK(s.mem_limit == 64 << 20);
  CHECK(s.cpus == 0.5F);
  CHECK(s.stop_grace_period == 90s);
  CHECK(s.healthcheck->test == text_list{"CMD-SHELL", "x"});
  CHECK(s.healthcheck->interval == 1500ms);
  CHECK(s.healthcheck->retries == 3U);
  CHECK(s.ulimits.at("nofile") == ulimit{0, 1, 2});
  CHECK(s.ulimits.at("nproc") == ulimit{5, 0, 0});
}

TEST_CASE("names of resources") {
  const auto result = load_text(
      "name: Demo\nservices: {s: {image: i, networks: [n, e], volumes: ['vol:/v', 'own:/w']}}\n"
      "networks: {n: , e: {external: true}}\nvolumes: {vol: , own: {name: mine}, unused: }\n");
  REQUIRE(result);
  auto p = result->project;
  CHECK(p.name == "demo");
  CHECK(p.networks.at("n").name == "demo_n");
  CHECK(p.networks.at("e").name == "e");
  CHECK(p.volumes.at("vol").name == "demo_vol");
  CHECK(p.volumes.at("own").name == "mine");
  drop_unused_resources(p);
  CHECK(!p.volumes.contains("unused"));
  CHECK(p.volumes.size() == 2);
}

TEST_CASE("networks by priority") {
  const auto s = only_service("networks: {n: , m: {priority: 0}}");
  CHECK(networks_by_priority(s) == std::vector<std::string>{"m", "n"});
  const auto t = only_service("networks: {n: {priority: 7}, m: }");
  CHECK(networks_by_priority(t) == std::vector<std::string>{"n", "m"});
}

TEST_CASE("profiles turn services on") {
  const std::string text =
      "services: {a: {image: i, depends_on: {b: {condition: service_started, required: false}}}, b: {image: "
      "i, profiles: [p]}}";
  auto off = load_text(text, {{"COMPOSE_PROFILES", ""}});
  REQUIRE(off);
  CHECK(off->project.services.size() == 1);
  CHECK(off->project.disabled_services.contains("b"));
  CHECK(off->project.services.at("a").depends_on.contains("b"));
  drop_inactive_dependencies(off->project);
  CHECK(off->project.services.at("a").depends_on.empty());
  const auto on = load_text(text, {{"COMPOSE_PROFILES", "x, p"}});
  REQUIRE(on);
  CHECK(on->project.services.size() == 2);
}

TEST_CASE("env_file below environment, above nothing") {
  const auto result = load_text(
      "services: {s: {image: i, env_file: [a.env, {path: ghost.env, required: false}], environment: {B: "
      "own}}}",
      {}, {{"/p/a.env", "A=1\nB=file\n"}});
  REQUIRE(result);
  const auto& s = result->project.services.at("s");
  CHECK(s.environment == environment_map{{"A", "1"}, {"B", "own"}});
  CHECK(s.env_file.empty());
}

TEST_CASE("the override file is found beside a file that was found") {
  source from;
  from.cwd = "/p/below";
  const memory_reader files({{"/p/docker-compose.yml", "services: {s: {image: i}}"},
                             {"/p/compose.override.yml", "services: {s: {user: u}}"}});
  const auto result = load(from, files);
  REQUIRE(result);
  CHECK(result->project.working_dir == "/p");
  CHECK(result->project.compose_files == text_list{"/p/docker-compose.yml", "/p/compose.override.yml"});
  CHECK(result->project.services.at("s").user == "u");
}

TEST_CASE("printing can be loaded again") {
  const auto first = load_text(
      "x-a: {b: [1, 2.5, null]}\nservices: {s: {image: i, command: [\"a\\nb \", '$$x', '- y', 'no', '1', ' z "
      "', \"q\\n\\n\"], "
      "environment: {A: 'x: y', B: 'a #b', C: , D: '', E: \"tab\\t\"}, ports: ['80:80'], depends_on: []}}");
  REQUIRE(first);
  const auto printed = GENERATE_COPY(to_yaml(first->project), to_json(first->project));
  INFO(printed);
  const auto second = load_text(printed);
  INFO((second ? "" : second.error().message));
  REQUIRE(second);
  CHECK(to_json(second->project) == to_json(first->project));
}
