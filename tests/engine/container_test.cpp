#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "engine_test.hpp"

using namespace difyd;
using namespace difyd::engine;
using namespace difyd::engine_test;

namespace {

std::string code_of(const Result<>& result) { return result ? "success" : result.error().code; }

}  // namespace

TEST_CASE("a container is created, waited for, started, read and removed") {
  machine on;
  const std::string id = on.create("echo out; echo err >&2; exit 7");
  CHECK(on.run_to_end(id) == 7);
  const auto seen = on(on.docker.containers.inspect(id));
  REQUIRE(seen);
  CHECK(seen->state.status == "exited");
  CHECK(seen->state.exit_code == 7);
  CHECK(seen->image == on.image);
  CHECK(*seen->label("difyd.test") == on.id);
  CHECK(seen->stop_timeout == 1);
  CHECK(seen->mounts.at(0).destination == "/data");
  CHECK(on.log(id) == std::pair<std::string, std::string>{"out\n", "err\n"});
  log_options only_errors;
  only_errors.standard_output = false;
  CHECK(on.log(id, only_errors) == std::pair<std::string, std::string>{"", "err\n"});
  container_filter filter;
  filter.labels = {"difyd.test=" + on.id};
  CHECK(on(on.docker.containers.list(filter))->size() == 1);
  filter.statuses = {"running"};
  CHECK(on(on.docker.containers.list(filter))->empty());
  CHECK(on(on.docker.containers.remove(id, false, true)));
  CHECK(on(on.docker.containers.inspect(id)).error().code == "engine-not-found");
  CHECK(code_of(on(on.docker.containers.start(id))) == "engine-not-found");
}

TEST_CASE("start and stop are idempotent; kill, rename and policy") {
  machine on;
  const std::string name = "difyd-test-" + on.id;
  const std::string id = on.create("exec sleep 1000", json::object(), name);
  auto& containers = on.docker.containers;
  CHECK(on(containers.start(id)));
  CHECK(on(containers.start(name)));
  CHECK(on(containers.update_restart_policy(id, {"on-failure", 3})));
  CHECK(on(containers.inspect(name))->restart.maximum_retries == 3);
  CHECK(on(containers.update_restart_policy(id, {"no", 0})));
  CHECK(on(containers.restart(id, 0)));
  CHECK(on(containers.rename(id, name + "-b")));
  CHECK(on(containers.inspect(id))->name == name + "-b");
  CHECK(on(containers.pause(id)));
  CHECK(code_of(on(containers.start(id))) == "engine-conflict");
  CHECK(on(containers.unpause(id)));
  CHECK(on(containers.stop(id, 0)));
  CHECK(on(containers.stop(id)));
  CHECK(code_of(on(containers.kill(id))) == "engine-conflict");
  const auto again =
      on(containers.create(name + "-b", json{{"Image", on.image}, {"Labels", on.labels()}}.dump()));
  REQUIRE_FALSE(again);
  CHECK(again.error().code == "engine-conflict");
  CHECK(again.error().remedy.find("name") != std::string::npos);
}

TEST_CASE("a process that ignores TERM is killed after its grace") {
  machine on;
  const std::string id = on.create("trap '' TERM; echo ready; while true; do sleep 1; done");
  REQUIRE(on(on.docker.containers.start(id)));
  REQUIRE(eventually(on, [&] { return on.log(id).first == "ready\n"; }));
  CHECK(on(on.docker.containers.stop(id, 1, 30s)));
  CHECK(on(on.docker.containers.inspect(id))->state.exit_code == 137);
}

TEST_CASE("what cannot be created or started is one sentence") {
  machine on;
  const auto no_image = on(on.docker.containers.create("", json{{"Image", "difyd-no-such:1"}}.dump()));
  REQUIRE_FALSE(no_image);
  CHECK(no_image.error().code == "engine-not-found");
  CHECK_FALSE(no_image.error().remedy.empty());
  CHECK_FALSE(on(on.docker.containers.create("", "{broken")));  // 500 from Engine 20.10, 400 from newer ones
  const std::string id = on.create("", {{"Cmd", {"no-such-program"}}});
  const auto started = on(on.docker.containers.start(id));
  REQUIRE_FALSE(started);
  CHECK(started.error().remedy.find("command") != std::string::npos);
  CHECK(on(on.docker.containers.inspect(id))->state.status == "created");
}

TEST_CASE("a health check's state is seen") {
  machine on;
  const json check{{"Test", {"CMD", "test", "-e", "/tmp/ok"}}, {"Interval", 100'000'000}, {"Retries", 1}};
  const std::string id = on.create("sleep 1000", {{"Healthcheck", check}});
  const auto is = [&](const char* wanted) {
    const auto seen = on(on.docker.containers.inspect(id));
    return seen && seen->state.health && seen->state.health->status == wanted;
  };
  REQUIRE(on(on.docker.containers.start(id)));
  CHECK(eventually(on, [&] { return is("unhealthy"); }));
  tar_archive tar;
  tar.file("ok", "");
  REQUIRE(on(on.docker.containers.put_archive(id, "/tmp", tar.bytes())));
  CHECK(eventually(on, [&] { return is("healthy"); }));
}

TEST_CASE("archives go in and come out") {
  machine on;
  const std::string id = on.create("cat /tmp/in");
  tar_archive tar;
  const std::string large(3u << 20, 'x');
  tar.file("in", large);
  REQUIRE(on(on.docker.containers.put_archive(id, "/tmp", tar.bytes())));
  CHECK(on.run_to_end(id) == 0);
  CHECK(on.log(id).first == large);
  const auto out = on(on.docker.containers.get_archive(id, "/tmp/in"));
  REQUIRE(out);
  CHECK(out->find(large) == 512);
  CHECK(on(on.docker.containers.get_archive(id, "/tmp/in", 1000)).error().code == "engine-malformed-answer");
  CHECK(code_of(on(on.docker.containers.put_archive(id, "/no/such", tar.bytes()))) == "engine-not-found");
  CHECK(on(on.docker.containers.get_archive(id, "/no/such")).error().code == "engine-not-found");
}

TEST_CASE("many calls at once") {
  machine on;
  const std::string id = on.create("true");
  std::vector<task<Result<container>>> all;
  for (int i = 0; i < 40; ++i) all.push_back(on.docker.containers.inspect(id));
  for (const auto& each : on(when_all(std::move(all)))) {
    REQUIRE(each);
    CHECK(each->id == id);
  }
}
