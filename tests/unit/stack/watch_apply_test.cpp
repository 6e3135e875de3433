#include "catch.hpp"
#include "difyd/stack/watch.hpp"

using namespace difyd::stack;

namespace {

observed with(const char* state, const char* health) {
  observed now;
  observed_container one;
  one.id = "a";
  one.state = state;
  one.health = health;
  now.containers.push_back(one);
  return now;
}

container_event event(const char* action) {
  container_event one;
  one.action = action;
  one.id = "a";
  return one;
}

}  // namespace

TEST_CASE("an event says at once what a look would say later") {
  auto now = with("running", "healthy");
  auto ended = event("die");
  ended.exit_code = 137;
  CHECK(apply(event("oom"), now));
  CHECK(apply(ended, now));
  CHECK(now.containers[0].state == "exited");
  CHECK(now.containers[0].exit_code == 137);
  CHECK(now.containers[0].oom_killed);
  CHECK(now.containers[0].health.empty());
  CHECK(apply(event("start"), now));
  CHECK(now.containers[0].running());
  CHECK_FALSE(now.containers[0].oom_killed);
  CHECK(apply(event("destroy"), now));
  CHECK(now.containers.empty());
}

TEST_CASE("a health check that fails is seen, and a start begins it anew") {
  auto now = with("running", "starting");
  auto ill = event("health_status");
  ill.health = "unhealthy";
  CHECK(apply(ill, now));
  CHECK(now.containers[0].health == "unhealthy");
  CHECK(apply(event("start"), now));
  CHECK(now.containers[0].health == "starting");
  CHECK(apply(event("pause"), now));
  CHECK(now.containers[0].state == "paused");
  CHECK(apply(event("unpause"), now));
  CHECK(now.containers[0].running());
}

TEST_CASE("what is not known yet, and what says nothing of the state, changes nothing") {
  auto now = with("running", "");
  auto other = event("die");
  other.id = "b";
  CHECK_FALSE(apply(other, now));
  CHECK_FALSE(apply(event("kill"), now));
  CHECK(now.containers[0].running());
}
