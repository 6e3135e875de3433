#include "../../../daemon/engine/decode.hpp"

#include "catch.hpp"
#include "difyd/engine/client.hpp"

using namespace difyd;
using namespace difyd::engine;

TEST_CASE("a container that was never started") {
  const auto decoded =
      decode_container(json::parse(R"({"Id": "abc", "Name": "/a", "Image": "sha256:1", "State":
    {"Status": "created", "ExitCode": 0, "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"}})"));
  REQUIRE(decoded);
  CHECK(decoded->state.started_at.empty());
  CHECK(decoded->state.finished_at.empty());
}

TEST_CASE("an inspected container") {
  const auto decoded = decode_container(json::parse(R"({
    "Id": "abc", "Name": "/dify-web-1", "Created": "2026-01-01T00:00:00.1Z", "Image": "sha256:1", "RestartCount": 3,
    "State": {"Status": "running", "Running": true, "OOMKilled": false, "Pid": 42, "ExitCode": 0, "Error": "",
              "StartedAt": "s", "FinishedAt": "f",
              "Health": {"Status": "unhealthy", "FailingStreak": 2, "Log": [{"ExitCode": 0, "Output": "a"},
                                                                           {"ExitCode": 1, "Output": "refused"}]}},
    "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}, "AutoRemove": true,
                   "NetworkMode": "dify_default"},
    "Config": {"Image": "web:1", "Labels": {"k": "v"}, "Env": ["A=1"], "Cmd": null, "Entrypoint": ["/e", "x"],
               "Tty": true, "StopSignal": "SIGQUIT", "StopTimeout": 30, "User": "1001"},
    "Mounts": [{"Type": "volume", "Name": "v", "Source": "/s", "Destination": "/d", "RW": false}],
    "NetworkSettings": {"Networks": {"dify_default": {"NetworkID": "n1", "IPAddress": "10.0.0.2", "Aliases": ["web"]}},
      "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
                "53/udp": null}}})"));
  REQUIRE(decoded);
  CHECK(decoded->name == "dify-web-1");
  CHECK(decoded->state.running);
  CHECK(decoded->state.health->status == "unhealthy");
  CHECK(decoded->state.health->last_output == "refused");
  CHECK(decoded->state.health->last_exit_code == 1);
  CHECK(decoded->restart.name == "on-failure");
  CHECK(decoded->restart.maximum_retries == 5);
  CHECK(decoded->auto_remove);
  CHECK(decoded->cmd.empty());
  CHECK(decoded->entrypoint == std::vector<std::string>{"/e", "x"});
  CHECK(decoded->stop_timeout == 30);
  CHECK(decoded->restart_count == 3);
  CHECK_FALSE(decoded->mounts.at(0).writable);
  CHECK(decoded->networks.at("dify_default").aliases == std::vector<std::string>{"web"});
  REQUIRE(decoded->ports.size() == 3);
  CHECK(decoded->ports[0].protocol == "udp");
  CHECK(decoded->ports[0].host_port == 0);
  CHECK(decoded->ports[2].host_port == 8080);
  CHECK(*decoded->label("k") == "v");
  CHECK(decoded->label("none") == nullptr);
  CHECK(decoded->raw->at("Id") == "abc");
}

TEST_CASE("what the engine leaves out, nulls or changes is empty, and an id is needed") {
  const auto bare =
      decode_container(json::parse(R"({"Id":"a","Name":null,"State":null,"Config":[],"Mounts":{},
      "NetworkSettings":{"Networks":null,"Ports":null},"HostConfig":{"RestartPolicy":"no"},"RestartCount":"x"})"));
  REQUIRE(bare);
  CHECK(bare->name.empty());
  CHECK_FALSE(bare->state.health);
  CHECK_FALSE(bare->stop_timeout);
  for (const char* none : {"{}", "[]", "null", "1", R"({"Id":1})"}) {
    CHECK(decode_container(json::parse(none)).error().code == "engine-malformed-answer");
    CHECK_FALSE(decode_summary(json::parse(none)));
    CHECK_FALSE(decode_image(json::parse(none)));
    CHECK_FALSE(decode_network(json::parse(none)));
    CHECK_FALSE(decode_volume(json::parse(none)));
    CHECK_FALSE(decode_exit(none, "wait"));
  }
  CHECK(decode_all<volume>(json(), decode_volume, "list")->empty());
  CHECK_FALSE(decode_all<volume>(json::object(), decode_volume, "list"));
}

TEST_CASE("a listed container, a network, an exit") {
  const auto listed =
      decode_summary(json::parse(R"({"Id":"a","Names":["/x","/y/x"],"State":"exited","Created":7,
      "Ports":[{"IP":"::","PrivatePort":80,"PublicPort":81,"Type":"tcp"}],"Labels":{"k":"v"},
      "NetworkSettings":{"Networks":{"n":{"NetworkID":"id of n"}}},
      "Mounts":[{"Type":"volume","Name":"v","Destination":"/d","RW":true}]})"));
  REQUIRE(listed);
  CHECK(listed->name() == "x");
  CHECK(listed->ports.at(0).host_port == 81);
  CHECK(listed->networks.at("n").network_id == "id of n");
  CHECK(listed->mounts.at(0).name == "v");
  const auto net =
      decode_network(json::parse(R"({"Id":"n","Name":"x","IPAM":{"Config":[{"Subnet":"10.0.0.0/24"}]},
      "Containers":{"c1":{"Name":"web"}},"Internal":true})"));
  REQUIRE(net);
  CHECK(net->subnets.at(0).range == "10.0.0.0/24");
  CHECK(net->containers.at("c1") == "web");
  CHECK(decode_exit(R"({"StatusCode":137,"Error":null})", "wait")->code == 137);
  CHECK(decode_exit(R"({"StatusCode":0,"Error":{"Message":"gone"}})", "wait")->error == "gone");
}

TEST_CASE("DOCKER_HOST decides the endpoint") {
  CHECK(endpoint_from_environment({"A=1"})->path == "/var/run/docker.sock");
  CHECK(endpoint_from_environment({"DOCKER_HOST="})->path == "/var/run/docker.sock");
  CHECK(endpoint_from_environment({"DOCKER_HOST=unix:///run/x.sock"})->path == "/run/x.sock");
  CHECK(endpoint_from_environment({"DOCKER_HOST=ssh://x"}).error().code == "endpoint-invalid");
}
