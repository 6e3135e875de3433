#include "../../../daemon/supervisor/healing.hpp"

#include "../../../daemon/supervisor/probe_list.hpp"
#include "../../../daemon/supervisor/probe_stack.hpp"
#include "../../../daemon/supervisor/replacing.hpp"
#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

TEST_CASE("only the machine's own engine is restarted unless a unit is named") {
  config::settings settings;
  settings.engine_host = "unix:///var/run/docker.sock";
  CHECK(engine_unit(settings) == "docker.service");
  settings.engine_host = "unix:///run/another/docker.sock";
  CHECK(engine_unit(settings).empty());
  settings.engine_unit = "another.service";
  CHECK(engine_unit(settings) == "another.service");
}

TEST_CASE("of an edited environment the keys are told, never the values") {
  const auto keys = keys_that_differ("A=1\nB=secret\nD=4\n", "A=1\nB=2\nC=3\n");
  CHECK(keys == std::vector<std::string>{"B", "C", "D"});
  CHECK(keys_that_differ("A=1\n", "A=1\n# a comment\n").empty());
  for (const auto& each : keys_that_differ("A='", "A=1")) CHECK(each.find('\'') == std::string::npos);
}

TEST_CASE("every probe has a name of its own, a schedule and a limit") {
  std::set<std::string> names;
  for (const auto& each : probes()) {
    CHECK(names.insert(each.name).second);
    CHECK(each.every >= 1);
    CHECK(each.limit >= 1s);
    CHECK(each.look != nullptr);
  }
  CHECK(names.size() >= 13);
}

TEST_CASE("a request for a new machine is told where it was made, and on the new machine") {
  const wall_time now = wall_time{} + 20000h;
  health::memory memory;
  memory.known = true;
  memory.machine = "this";
  memory.asked = {{"engine/engine-dead", "this", now - 1h},
                  {"storage/mount-hung-here", "other", now - 2h},
                  {"disk.boot/boot-disk-full", "other", now - 25h}};
  const auto found = replacement_findings(memory, {}, now);
  REQUIRE(found.size() == 2);
  CHECK(found[0].code == "replacement-asked");
  CHECK(found[1].code == "replacement-made");
  CHECK(found[1].detail.find("storage/mount-hung-here") != std::string::npos);
}
