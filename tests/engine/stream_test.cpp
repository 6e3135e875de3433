// Logs, attach, exec and events of a real engine.
#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "engine_test.hpp"

using namespace difyd;
using namespace difyd::engine;
using namespace difyd::engine_test;

namespace {

using text_pair = std::pair<std::string, std::string>;

std::string lines(int from, int to) {
  std::string all;
  for (int i = from; i <= to; ++i) all += std::to_string(i) + "\n";
  return all;
}

task<std::vector<event>> events_until(event_stream& stream, std::string action) {
  std::vector<event> seen;
  while (seen.empty() || seen.back().action != action) {
    auto next = co_await stream.next(20s);
    if (!next || !*next) throw std::runtime_error(next ? "the events ended" : next.error().message);
    seen.push_back(std::move(**next));
  }
  co_return seen;
}

std::vector<std::string> actions(const std::vector<event>& of) {
  std::vector<std::string> result;
  for (const auto& each : of) result.push_back(each.action);
  return result;
}

}  // namespace

TEST_CASE("a log is followed to the end, its tail read, its times shown") {
  machine on;
  const std::string id = on.create("seq 1 20000; sleep 0.3; echo last; echo err >&2");
  REQUIRE(on(on.docker.containers.start(id)));
  log_options options;
  options.follow = true;
  CHECK(on.log(id, options) == text_pair{lines(1, 20000) + "last\n", "err\n"});
  options = {};
  options.tail = 3;
  options.standard_error = false;
  CHECK(on.log(id, options).first.ends_with("last\n"));
  CHECK(on.log(id, options).first.size() < 30);
  options.timestamps = true;
  CHECK(on.log(id, options).first.substr(4, 1) == "-");
  options.since = "9999999999.5";
  CHECK(on.log(id, options).first.empty());
}

TEST_CASE("a terminal's log is raw") {
  machine on;
  const std::string id = on.create("echo hello", {{"Tty", true}});
  CHECK(on.run_to_end(id) == 0);
  CHECK(on.log(id) == text_pair{"hello\r\n", ""});
}

TEST_CASE("a log that is followed ends by cancellation, too") {
  machine on;
  const std::string id = on.create("echo ready; sleep 1000");
  REQUIRE(on(on.docker.containers.start(id)));
  log_options options;
  options.follow = true;
  auto stream = on(on.docker.containers.logs(id, options));
  REQUIRE(stream);
  CHECK(on(stream->next(10s)).value()->bytes == "ready\n");
  CHECK(on(stream->next(50ms)).error().code == "deadline-exceeded");
  task_group group(on.loop.get_executor());
  bool returned = false;
  group.spawn("follow", [](log_stream& from, bool& done) -> task<void> {
    co_await from.next();
    done = true;
  }(*stream, returned));
  on.loop.restart();
  on.loop.run_for(50ms);
  CHECK(group.running() == 1);
  group.cancel();
  on([](task_group& of) -> task<int> {
    co_await of.join();
    co_return 0;
  }(group));
  CHECK_FALSE(returned);
}

TEST_CASE("attach: what goes in comes out, and the end of input is seen") {
  machine on;
  const json input{{"OpenStdin", true}, {"StdinOnce", true}, {"AttachStdin", true}};
  const std::string id = on.create("cat; echo end >&2", input);
  auto stream = on(on.docker.containers.attach(id, true));
  INFO((stream ? "" : stream.error().message));
  REQUIRE(stream);
  auto wait = on(on.docker.containers.wait(id, wait_condition::next_exit));
  REQUIRE(wait);
  REQUIRE(on(on.docker.containers.start(id)));
  REQUIRE(on(stream->write("one\n")));
  CHECK(on(stream->next(10s)).value()->bytes == "one\n");
  REQUIRE(on(stream->write("two\n")));
  stream->close_input();
  CHECK(on.read(*stream) == text_pair{"two\n", "end\n"});
  CHECK(on(wait->result(10s))->code == 0);
  CHECK(on(on.docker.containers.attach("difyd-no-such", false, false, false)).error().code ==
        "engine-not-found");
}

TEST_CASE("exec: output, exit code, environment, refusals") {
  machine on;
  const std::string id = on.create("sleep 1000");
  exec_spec spec;
  spec.command = {"sh", "-c", "echo $A; echo e >&2; exit 5"};
  spec.env = {"A=value"};
  CHECK(on(on.docker.containers.create_exec(id, spec)).error().code == "engine-conflict");
  REQUIRE(on(on.docker.containers.start(id)));
  const auto exec = on(on.docker.containers.create_exec(id, spec));
  REQUIRE(exec);
  auto stream = on(on.docker.containers.start_exec(*exec));
  REQUIRE(stream);
  CHECK(on.read(*stream) == text_pair{"value\n", "e\n"});
  const auto state = on(on.docker.containers.inspect_exec(*exec));
  REQUIRE(state);
  CHECK_FALSE(state->running);
  CHECK(state->exit_code == 5);
  CHECK(on(on.docker.containers.start_exec("no-such")).error().code == "engine-not-found");
}

TEST_CASE("events of a container, live and afterwards") {
  machine on;
  const filter_map mine{{"type", {"container"}}, {"label", {"difyd.test=" + on.id}}};
  auto stream = on(on.docker.events(mine));
  REQUIRE(stream);
  const std::string id = on.create("exit 3");
  CHECK(on.run_to_end(id) == 3);
  REQUIRE(on(on.docker.containers.remove(id, false, true)));
  const auto live = on(events_until(*stream, "destroy"));
  CHECK(actions(live) == std::vector<std::string>{"create", "start", "die", "destroy"});
  CHECK(live[2].id == id);
  CHECK(live[2].attribute("exitCode") == "3");
  CHECK(live[2].attribute("difyd.test") == on.id);
  auto again = on(on.docker.events(mine, since_text(live[1].time_nano)));
  REQUIRE(again);
  CHECK(actions(on(events_until(*again, "destroy"))) == std::vector<std::string>{"start", "die", "destroy"});
  auto past = on(on.docker.events(mine, since_text(live[0].time_nano), since_text(live[1].time_nano)));
  REQUIRE(past);
  CHECK(actions(on(events_until(*past, "start"))) == std::vector<std::string>{"create", "start"});
  CHECK_FALSE(on(past->next(10s)).value());
}

TEST_CASE("a wait that ends with the container's removal") {
  machine on;
  const std::string id = on.create("exit 4", {{"HostConfig", {{"AutoRemove", true}}}});
  auto wait = on(on.docker.containers.wait(id, wait_condition::removed));
  REQUIRE(wait);
  REQUIRE(on(on.docker.containers.start(id)));
  CHECK(on(wait->result(20s))->code == 4);
  CHECK(on(on.docker.containers.inspect(id)).error().code == "engine-not-found");
  CHECK(on(on.docker.containers.wait("difyd-no-such", wait_condition::not_running)).error().code ==
        "engine-not-found");
}
