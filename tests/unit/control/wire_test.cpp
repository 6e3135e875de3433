#include "difyd/control/wire.hpp"

#include "catch.hpp"

using namespace difyd;

TEST_CASE("a status survives the wire") {
  control::status before;
  before.phase = "upgrading";
  before.options = {"difyd resume: goes on"};
  before.services.push_back(
      {"api", "dify-api-1", "langgenius/dify-api:1.11.4", "", "running", "healthy", 0, "", true});
  finding found;
  found.subject = "disk";
  found.code = "disk-full";
  found.level = severity::critical;
  before.findings.push_back(found);
  before.operation =
      control::operation_status{"u1", "upgrade", "1.11.3", "1.11.4", "", "", {{"stop", "done", "", 1.5, ""}}};
  const auto after = control::parse_status(control::to_json(before));
  REQUIRE(after);
  CHECK(after->phase == "upgrading");
  CHECK(after->services.at(0).ready);
  CHECK(after->findings.at(0).level == severity::critical);
  CHECK(after->operation->steps.at(0).seconds == 1.5);
}

TEST_CASE("an error survives the wire, and a foreign body is said to be one") {
  const Error error{"in-flight", "cannot upgrade: one is under way", "Wait for it"};
  CHECK(control::parse_error(409, control::to_json(error)) == error);
  CHECK(control::parse_error(502, "<html>").message == "the daemon answered with status 502");
}

TEST_CASE("text that is not UTF-8 does not break an event") {
  control::event event;
  event.text = "caf\xe9";
  const auto after = control::parse_event(control::to_json(event));
  REQUIRE(after);
  CHECK(after->text.substr(0, 3) == "caf");
}

using wished = Result<control::upgrade_wish>;

TEST_CASE("bad requests are refused with what to send") {
  CHECK(control::parse_upgrade_request("{\"version\":\"1.2.3\"}") == wished({"1.2.3", {}}));
  CHECK(control::parse_upgrade_request("") == wished({}));
  for (const auto* bad : {"[", "{\"version\":1}", "{\"version\":\"1.2.3\",\"acknowledge\":\"a\"}"}) {
    const auto result = control::parse_upgrade_request(bad);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == "bad-request");
  }
}

TEST_CASE("what the commands send is what the daemon reads, whatever is in the names") {
  const std::string odd = "a\"b\\c\n";
  const control::upgrade_wish wish{odd, {"unknown-release", odd}, odd};
  CHECK(control::parse_upgrade_request(control::upgrade_request(wish)) == wished(wish));
  const std::vector<std::string> services{"api", odd};
  CHECK(control::parse_services_request(control::services_request(services)) ==
        Result<std::vector<std::string>>(services));
  CHECK(control::log_json("m1", "line\n") == R"({"id":"m1","log":"line\n"})");
}

TEST_CASE("an unknown service is named with the nearest one and all of them") {
  const Error error = control::unknown_service("restart", "wroker", {"worker", "api"});
  CHECK(error == Error{"no-such-service", "cannot restart wroker: the stack has no such service",
                       "Did you mean worker? It has api, worker"});
  CHECK(control::unknown_service("restart", "zzzzzz", {"api"}).remedy == "It has api");
}

TEST_CASE("a wish for maintenance survives its request, and a reason that is none is refused") {
  const auto read =
      control::parse_maintenance_request(control::maintenance_request({true, "New disks, \"soon\""}));
  REQUIRE(read);
  CHECK(read->on);
  CHECK(read->reason == "New disks, \"soon\"");
  CHECK_FALSE(control::parse_maintenance_request("{\"on\":false}")->on);
  CHECK_FALSE(control::parse_maintenance_request("{}")->on);
  for (const auto& bad :
       {std::string("{\"on\":\"yes\"}"), std::string("["), std::string("{\"on\":true,\"reason\":7}"),
        control::maintenance_request({true, "two\nlines"}), control::maintenance_request({true, "\x1b[31m"}),
        control::maintenance_request({true, std::string(501, 'x')})}) {
    INFO(bad);
    const auto refused = control::parse_maintenance_request(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "bad-request");
  }
}
