#include "difyd/control/claim.hpp"

#include <unistd.h>

#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "run_task.hpp"

using namespace difyd;

TEST_CASE("a project on an engine has one supervisor, found by its name alone") {
  asio::io_context loop;
  const auto project = "test" + random_hex(8);
  const auto engine = http::unix_endpoint("/nowhere/docker.sock");
  CHECK_FALSE(run_task(loop, control::holder_of(project, engine)));
  {
    auto mine = control::claim::take(loop.get_executor(), project, engine);
    REQUIRE(mine);
    REQUIRE(*mine);
    task_group group(loop.get_executor());
    group.spawn("claim", (*mine)->answer("/somewhere/difyd.sock"));

    const auto holder = run_task(loop, control::holder_of(project, engine));
    REQUIRE(holder);
    CHECK(holder->pid == ::getpid());
    CHECK(holder->socket == "/somewhere/difyd.sock");
    const auto second = control::claim::take(loop.get_executor(), project, engine);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == "already-supervised");
    CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
    CHECK_FALSE(run_task(loop, control::holder_of(project + "x", engine)));
    CHECK_FALSE(run_task(loop, control::holder_of(project, http::tcp_endpoint("localhost", 2375))));

    group.cancel();
    run_task(loop, [](task_group& g) -> task<int> {
      co_await g.join();
      co_return 0;
    }(group));
  }
  CHECK_FALSE(run_task(loop, control::holder_of(project, engine)));
}
