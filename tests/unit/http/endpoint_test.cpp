#include "difyd/http/endpoint.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::http;

TEST_CASE("DOCKER_HOST values become endpoints") {
  struct row {
    const char* text;
    endpoint expected;
    const char* back;
  };
  const row rows[] = {
      {"unix:///run/docker.sock", unix_endpoint("/run/docker.sock"), "unix:///run/docker.sock"},
      {"tcp://localhost", tcp_endpoint("localhost", 2375), "tcp://localhost:2375"},
      {"tcp://10.0.0.1:2376/", tcp_endpoint("10.0.0.1", 2376), "tcp://10.0.0.1:2376"},
      {"tcp://[::1]:80", tcp_endpoint("::1", 80), "tcp://[::1]:80"},
      {"tcp://[fe80::1]", tcp_endpoint("fe80::1", 2375), "tcp://[fe80::1]:2375"},
  };
  for (const auto& each : rows) {
    INFO(each.text);
    const auto parsed = parse_endpoint(each.text);
    REQUIRE(parsed);
    CHECK(*parsed == each.expected);
    CHECK(to_text(*parsed) == each.back);
  }
}

TEST_CASE("what is no endpoint is refused with one sentence") {
  const std::string long_path = "unix:///" + std::string(120, 'x');
  const std::pair<std::string, std::string> rows[] = {
      {"ssh://host", "connections by ssh:// are not supported"},
      {"npipe:////./pipe/docker", "connections by npipe:// are not supported"},
      {"/run/docker.sock", "it does not begin with unix:// or tcp://"},
      {"", "it does not begin with unix:// or tcp://"},
      {"unix://run/docker.sock", "the path of the socket must be absolute"},
      {long_path, "the path of a socket may have at most 107 characters"},
      {"tcp://", "it names no host"},
      {"tcp://host:0", "the port must be a number from 1 to 65535"},
      {"tcp://host:99999", "the port must be a number from 1 to 65535"},
      {"tcp://host:http", "the port must be a number from 1 to 65535"},
      {"tcp://host:", "the port must be a number from 1 to 65535"},
      {"tcp://::1:80", "it names no host"},
      {"tcp://[::1", "it names no host"},
      {"tcp://host:80/path", "only a host and a port may follow tcp://"},
  };
  for (const auto& [text, cause] : rows) {
    INFO(text);
    const auto parsed = parse_endpoint(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == "endpoint-invalid");
    CHECK(parsed.error().message == "cannot use the address \"" + text + "\": " + cause);
    CHECK_FALSE(parsed.error().remedy.empty());
  }
}
