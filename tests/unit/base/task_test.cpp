#include "difyd/base/task.hpp"

#include <boost/asio/io_context.hpp>
#include <future>
#include <stdexcept>

#include "catch.hpp"
#include "difyd/base/cell.hpp"
#include "difyd/base/lane.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/task_group.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace std::chrono_literals;

namespace {

task<Result<int>> answer_after(duration time, int value) {
  co_await pause(time);
  co_return value;
}

task<void> record_cancellation(bool& cancelled) {
  try {
    co_await pause(1h);
  } catch (...) {
    cancelled = true;
    throw;
  }
}

}  // namespace

TEST_CASE("with_deadline gives the result or the deadline's error") {
  CHECK(run_task(with_deadline(answer_after(1ms, 7), 10s, "count")) == Result<int>(7));
  const auto late = run_task(with_deadline(answer_after(1h, 7), 5ms, "count"));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "deadline-exceeded");
  CHECK(late.error().message == "cannot count: no answer within 5 ms");
}

TEST_CASE("a task group cancels and waits for its children") {
  bool cancelled = false;
  asio::io_context loop;
  task_group group(loop.get_executor());
  group.spawn("sleeper", record_cancellation(cancelled));
  loop.poll();
  REQUIRE(group.running() == 1);
  group.cancel();
  run_task(loop, group.join());
  CHECK(cancelled);
  CHECK(group.running() == 0);
}

TEST_CASE("a failing child of a task group is reported by name") {
  std::string reported;
  asio::io_context loop;
  task_group group(loop.get_executor(), [&](const std::string& child, const std::string& what) {
    reported = child + ": " + what;
  });
  group.spawn("thrower", []() -> task<void> {
    co_await pause(1ms);
    throw std::runtime_error("no luck");
  }());
  run_task(loop, group.join());
  CHECK(reported == "thrower: no luck");
}

TEST_CASE("when_all keeps the order of its tasks") {
  std::vector<task<Result<int>>> tasks;
  tasks.push_back(answer_after(20ms, 1));
  tasks.push_back(answer_after(1ms, 2));
  const auto results = run_task(when_all(std::move(tasks)));
  REQUIRE(results.size() == 2);
  CHECK(*results[0] == 1);
  CHECK(*results[1] == 2);
}

TEST_CASE("a cell wakes its waiters") {
  asio::io_context loop;
  cell<int> value(loop.get_executor(), 1);
  int seen = 0;
  task_group group(loop.get_executor());
  group.spawn("reader", [](cell<int>& from, int& to) -> task<void> {
    to = *co_await from.changed(from.version());
  }(value, seen));
  loop.poll();
  value.set(5);
  run_task(loop, group.join());
  CHECK(seen == 5);
}

TEST_CASE("a cancelled waiter of a cell ends") {
  asio::io_context loop;
  cell<int> value(loop.get_executor(), 1);
  task_group group(loop.get_executor());
  group.spawn("reader", [](cell<int>& from) -> task<void> { co_await from.changed(from.version()); }(value));
  loop.poll();
  group.cancel();
  run_task(loop, group.join());
  CHECK(group.running() == 0);
}

namespace {

task<Result<int>> open_gate(std::shared_ptr<std::promise<void>> gate) {
  gate->set_value();
  co_return 0;
}

// The lane's thread tells the loop when its call returns: the loop must live until then.
void await_free(asio::io_context& loop, lane& blocking) {
  Result<int> free = fail("none", "none");
  for (int i = 0; i < 500 && !free; ++i) {
    run_task(loop, pause(2ms));
    free = run_task(loop, blocking.run<int>([]() -> Result<int> { return 2; }, 1s, "wait"));
  }
  CHECK(free == Result<int>(2));
}

}  // namespace

TEST_CASE("a lane abandons a call at its deadline and refuses the next until it returns") {
  asio::io_context loop;
  lane blocking(loop.get_executor(), "test");
  auto gate = std::make_shared<std::promise<void>>();
  auto opened = gate->get_future().share();
  const auto late = run_task(loop, blocking.run<int>(
                                       [opened]() -> Result<int> {
                                         opened.wait();
                                         return 1;
                                       },
                                       10ms, "wait"));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "deadline-exceeded");
  const auto refused = run_task(loop, blocking.run<int>([]() -> Result<int> { return 2; }, 10ms, "wait"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "lane-busy");
  gate->set_value();
  await_free(loop, blocking);
}

TEST_CASE("calls to a lane wait for their turn") {
  asio::io_context loop;
  lane blocking(loop.get_executor(), "test");
  auto gate = std::make_shared<std::promise<void>>();
  auto opened = gate->get_future().share();
  std::vector<task<Result<int>>> calls;
  for (int i = 0; i < 4; ++i)
    calls.push_back(blocking.run<int>(
        [i, opened]() -> Result<int> {
          opened.wait();
          return i;
        },
        5s, "wait"));
  calls.push_back(open_gate(gate));  // begun after the others have asked
  const auto results = run_task(loop, when_all(std::move(calls)));
  for (int i = 0; i < 4; ++i) CHECK(results[static_cast<std::size_t>(i)] == Result<int>(i));
}

TEST_CASE("who waits for a call that overruns is refused with it") {
  asio::io_context loop;
  lane blocking(loop.get_executor(), "test");
  auto gate = std::make_shared<std::promise<void>>();
  auto opened = gate->get_future().share();
  std::vector<task<Result<int>>> calls;
  for (const auto limit : {50ms, 5000ms})
    calls.push_back(blocking.run<int>(
        [opened]() -> Result<int> {
          opened.wait();
          return 1;
        },
        limit, "wait"));
  const auto results = run_task(loop, when_all(std::move(calls)));
  CHECK(results[0].error().code == "deadline-exceeded");
  CHECK(results[1].error().code == "lane-busy");
  gate->set_value();
  await_free(loop, blocking);
}

TEST_CASE("run_process gives output, errors and the exit code") {
  const auto done = run_task(run_process({.argv = {"/bin/sh", "-c", "cat; echo oops >&2; exit 3"},
                                          .environment = {},
                                          .input = "hello",
                                          .on_output = {}}));
  REQUIRE(done);
  CHECK(done->exit_code == 3);
  CHECK(done->output == "hello");
  CHECK(done->errors == "oops\n");
}

TEST_CASE("run_process outlives a child that does not read its input") {
  const auto done = run_task(run_process({.argv = {"/bin/sh", "-c", "exec <&-; sleep 0.1; kill -PIPE $$"},
                                          .environment = {"PATH=/usr/bin:/bin"},
                                          .input = std::string(1 << 20, 'x'),  // more than a pipe takes
                                          .on_output = {}}));
  REQUIRE(done);
  CHECK(done->exit_code == 128 + 13);  // to the child SIGPIPE means what it always does
}

TEST_CASE("run_process kills at its deadline, and says what cannot be run") {
  const auto late = run_task(run_process({.argv = {"/bin/sh", "-c", "sleep 1000"},
                                          .environment = {},
                                          .input = {},
                                          .limit = 50ms,
                                          .on_output = {}}));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "deadline-exceeded");
  const auto missing =
      run_task(run_process({.argv = {"/no/such"}, .environment = {}, .input = {}, .on_output = {}}));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "cannot run /no/such: No such file or directory");
}

TEST_CASE("a child inherits no descriptor") {
  const auto done = run_task(run_process({.argv = {"/bin/sh", "-c", "ls /proc/self/fd | wc -l"},
                                          .environment = {"PATH=/usr/bin:/bin"},
                                          .input = {},
                                          .on_output = {}}));
  REQUIRE(done);
  CHECK(done->output == "4\n");  // 0, 1, 2 and ls's own
}
