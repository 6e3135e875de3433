#include "difyd/stack/restart.hpp"

#include "catch.hpp"

using namespace difyd::stack;
using namespace std::chrono_literals;

namespace {
const auto now = std::chrono::steady_clock::time_point(1h);
}

TEST_CASE("the back-off doubles from one second to a minute") {
  restart_memory memory;
  for (const auto expected : {1000ms, 2000ms, 4000ms, 8000ms, 16000ms, 32000ms, 60000ms, 60000ms}) {
    const auto d = decide_restart({1, false, false, "always"}, memory, now);
    CHECK(d.restart);
    CHECK(d.delay == expected);
    memory = d.memory;
  }
}

TEST_CASE("five minutes of running forget earlier failures") {
  restart_memory memory{6, now - 299s};
  CHECK(decide_restart({1, false, false, "always"}, memory, now).delay == 60s);
  memory.started = now - 300s;
  CHECK(decide_restart({1, false, false, "always"}, memory, now).delay == 1s);
}

TEST_CASE("who is started again") {
  struct row {
    death d;
    bool restart;
  };
  const row rows[] = {
      {{0, false, false, "always"}, true},     {{137, false, false, "unless-stopped"}, true},
      {{1, true, false, "always"}, false},     {{0, false, true, "always"}, false},
      {{1, false, true, "always"}, true},      {{1, false, false, "no"}, false},
      {{1, false, false, ""}, false},          {{0, false, false, "on-failure"}, false},
      {{1, false, false, "on-failure"}, true},
  };
  for (const auto& [d, restart] : rows) {
    INFO(d.policy << " " << d.exit_code << " expected " << d.expected << " one-shot " << d.one_shot);
    CHECK(decide_restart(d, {}, now).restart == restart);
  }
  CHECK(decide_restart({1, false, false, "on-failure:3"}, {2, {}}, now).restart);
  CHECK_FALSE(decide_restart({1, false, false, "on-failure:3"}, {3, {}}, now).restart);
}
