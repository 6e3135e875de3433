#include "../../../daemon/supervisor/director.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include "catch.hpp"
#include "difyd/base/cell.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::supervisor;
using namespace std::chrono_literals;

namespace {

struct fixture {
  asio::io_context loop;
  std::string log;
  director chief{loop.get_executor(), [this](const std::string& child, const std::string& what) {
                   log += child + "!" + what + " ";
                 }};
  task_group group{loop.get_executor()};

  task<void> note(std::string name) {
    log += name + " ";
    co_return;
  }
  task<void> sleep(std::string name) {
    log += name + "+ ";
    co_await pause(1h);
  }
  // What only waits, as for the database: says, when it is ended, whether for another's sake.
  task<void> give_way() {
    chief.lower(priority::converge);
    try {
      co_await pause(1h);
    } catch (const boost::system::system_error&) {
      chief.raise(priority::command);
      log += chief.awaited_by(priority::command) ? "replaced " : "ended ";
      throw;
    }
  }
  void submit(std::string name, priority urgency, bool long_running = false) {
    chief.submit({name, name, urgency,
                  [this, name, long_running] { return long_running ? sleep(name) : note(name); }});
  }
  void end() {
    run_task(loop, chief.stop());
    group.cancel();
    run_task(loop, group.join());
  }
};

}  // namespace

TEST_CASE("the most urgent request runs first, and one waiting converge is enough") {
  fixture f;
  f.submit("converge", priority::converge);
  f.submit("converge2", priority::converge);
  f.submit("heal", priority::heal);
  f.submit("upgrade", priority::upgrade);
  f.submit("command", priority::command);
  f.group.spawn("director", f.chief.run());
  f.loop.poll();
  CHECK(f.log == "upgrade command heal converge ");
  f.end();
}

TEST_CASE("a command ends a converge that runs; nothing ends an upgrade") {
  fixture f;
  f.group.spawn("director", f.chief.run());
  f.submit("converge", priority::converge, true);
  f.loop.poll();
  REQUIRE(f.log == "converge+ ");
  f.submit("upgrade", priority::upgrade, true);
  f.loop.poll();
  CHECK(f.log == "converge+ upgrade+ ");
  f.submit("command", priority::command);
  f.loop.poll();
  CHECK(f.log == "converge+ upgrade+ ");
  CHECK(f.chief.busy_with(priority::upgrade));
  f.end();
  CHECK(f.log == "converge+ upgrade+ ");
}

TEST_CASE("an upgrade that has its result and clears up is no upgrade any more, and still not interrupted") {
  fixture f;
  f.group.spawn("director", f.chief.run());
  f.submit("converge", priority::converge, true);
  f.loop.poll();
  f.chief.raise(priority::upgrade);
  REQUIRE(f.chief.busy_with(priority::upgrade));
  f.chief.lower(priority::command);
  CHECK_FALSE(f.chief.busy_with(priority::upgrade));
  CHECK(f.chief.busy_with(priority::command));
  f.submit("upgrade", priority::upgrade);
  f.loop.poll();
  CHECK(f.log == "converge+ ");
  CHECK(f.chief.busy_with(priority::upgrade));
  f.end();
}

TEST_CASE("an operation that throws is reported and the next one runs") {
  fixture f;
  f.chief.submit({"bad", "bad", priority::command, []() -> task<void> {
                    co_await pause(0ms);
                    throw std::runtime_error("oops");
                  }});
  f.submit("next", priority::converge);
  f.group.spawn("director", f.chief.run());
  for (int i = 0; i < 100 && f.log.find("next") == std::string::npos; ++i) f.loop.run_one_for(20ms);
  CHECK(f.log == "bad!oops next ");
  f.end();
}

TEST_CASE("what gives way knows whether a command takes its place or the daemon ends") {
  for (const bool replaced : {true, false}) {
    fixture f;
    f.group.spawn("director", f.chief.run());
    f.chief.submit({"up", "up", priority::command, [&f] { return f.give_way(); }});
    f.loop.poll();
    if (replaced) f.submit("down", priority::command);
    f.loop.poll();
    f.end();
    CHECK(f.log == (replaced ? "replaced down " : "ended "));
  }
}
