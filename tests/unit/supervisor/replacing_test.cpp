#include "../../../daemon/supervisor/replacing.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

TEST_CASE("what lies in a local folder dies with the machine, whatever disk it is on") {
  config::settings settings;
  settings.storage.kind = "local";
  for (const auto* root : {"/", "/srv/dify", "/var/lib/dify", "/proc/dify"}) {
    settings.storage.root = root;
    CHECK(dies_with_the_machine(settings));
  }
  for (const auto* kind : {"nfs", "mount"}) {
    settings.storage.kind = kind;
    CHECK_FALSE(dies_with_the_machine(settings));
  }
}
