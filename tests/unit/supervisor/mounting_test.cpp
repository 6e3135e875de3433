#include "../../../daemon/supervisor/mounting.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

const wall_time now = wall_time{} + 1000h;

finding storage(std::string code, std::chrono::seconds age = 0s) {
  return {"storage", std::move(code), severity::critical, "", "", false, now - age};
}

finding second(bool answers) {
  return {"storage.second-mount",
          answers ? "second-mount-answers" : "second-mount-fails",
          severity::info,
          "",
          "",
          false,
          now};
}

}  // namespace

TEST_CASE("what the storage's findings ask for") {
  struct need_case {
    std::vector<finding> findings;
    bool dead_mounts;
    mount_need need;
  };
  const need_case cases[] = {
      {{}, false, mount_need::none},
      {{}, true, mount_need::none},
      {{storage("storage-writable")}, false, mount_need::none},
      {{storage("storage-writable")}, true, mount_need::look},
      {{storage("storage-full")}, true, mount_need::none},
      {{storage("mount-missing")}, false, mount_need::mount},
      {{storage("mount-missing-here", 1h)}, true, mount_need::mount},
      {{storage("mount-foreign"), second(false)}, false, mount_need::mount},
      // A server that is away comes back by itself.
      {{storage("storage-hung", 1h), second(false)}, true, mount_need::none},
      {{storage("storage-hung", 1h)}, false, mount_need::none},
      {{storage("storage-hung", 29s), second(true)}, false, mount_need::none},
      {{storage("storage-hung", 30s), second(true)}, false, mount_need::remount},
      {{storage("mount-hung-here", 1h), second(true)}, false, mount_need::remount},
      {{storage("storage-stale"), second(true)}, false, mount_need::remount},
      {{storage("storage-stale"), second(false)}, false, mount_need::none},
  };
  for (const auto& each : cases) {
    INFO((each.findings.empty() ? "nothing" : each.findings[0].code));
    CHECK(need_of(each.findings, each.dead_mounts, 30s, now) == each.need);
  }
}

TEST_CASE("attempts to mount are further and further apart") {
  CHECK(delay_after(0) == 2s);
  CHECK(delay_after(1) == 2s);
  CHECK(delay_after(2) == 4s);
  CHECK(delay_after(5) == 32s);
  CHECK(delay_after(6) == 60s);
  CHECK(delay_after(100) == 60s);
}
