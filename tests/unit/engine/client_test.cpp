// The client against a server that plays an engine, for what a real engine does not do on demand.
#include "difyd/engine/client.hpp"

#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/http/server.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::engine;
using namespace std::chrono_literals;

namespace {

struct played_engine {
  std::string api = "1.44";
  int version_status = 200;
  std::vector<std::string> asked;
  std::function<task<http::response>(const http::request&)> answer;

  asio::io_context loop;
  std::string folder;
  std::unique_ptr<http::server> server;

  played_engine() {
    char name[] = "/tmp/difyd-engine-XXXXXX";
    folder = ::mkdtemp(name);
    server = std::make_unique<http::server>(
        loop.get_executor(), [this](const http::request& what, const http::peer&) { return handle(what); });
    REQUIRE(server->listen(http::unix_listener{folder + "/s.sock"}));
  }
  ~played_engine() {
    server->stop();
    run_task(loop, server->join(10ms));
    std::filesystem::remove_all(folder);
  }
  http::endpoint where() const { return http::unix_endpoint(folder + "/s.sock"); }

  task<http::response> handle(const http::request& what) {
    asked.push_back(what.method + " " + what.target);
    if (what.path() == "/_ping") co_return http::response{200, {{"Api-Version", api}}, {}, {}};
    if (what.path().ends_with("/_ping")) {
      auto said = http::json_response(version_status, R"({"message":"client version is too old"})");
      said.headers.set("Server", "Docker/25.0 (linux)");
      co_return said;
    }
    co_return co_await answer(what);
  }
};

task<http::response> sleep_forever(const http::request&) {
  co_await pause(1h);
  co_return http::text_response(200, "");
}

http::response stream_of(std::vector<std::string> pieces) {
  http::response result = http::json_response(200, "");
  auto left = std::make_shared<std::vector<std::string>>(std::move(pieces));
  result.next = [left]() -> task<std::optional<std::string>> {
    if (left->empty()) co_return std::nullopt;
    std::string piece = std::move(left->front());
    left->erase(left->begin());
    co_await pause(1ms);
    co_return piece;
  };
  return result;
}

}  // namespace

TEST_CASE("the version is negotiated once and carried by every path") {
  played_engine host;
  host.answer = [](const http::request&) -> task<http::response> {
    co_return http::response{304, {}, {}, {}};
  };
  client docker(host.loop.get_executor(), host.where());
  CHECK(run_task(host.loop, docker.containers.start("web")));
  CHECK(run_task(host.loop, docker.containers.stop("web", 3)));
  CHECK(docker.version().server == "25.0");
  CHECK(host.asked == std::vector<std::string>{"HEAD /_ping", "GET /v1.44/_ping",
                                               "POST /v1.44/containers/web/start",
                                               "POST /v1.44/containers/web/stop?t=3"});
}

TEST_CASE("an engine that is too old or too new is named") {
  played_engine host;
  client docker(host.loop.get_executor(), host.where());
  SECTION("old") {
    host.api = "1.39";
    CHECK(run_task(host.loop, docker.connect()).error().code == "engine-too-old");
  }
  SECTION("new") {
    host.api = "1.99";
    host.version_status = 400;
    CHECK(run_task(host.loop, docker.connect()).error().code == "engine-too-new");
  }
  SECTION("none at all") {
    host.api = "";
    CHECK(run_task(host.loop, docker.connect()).error().code == "engine-malformed-answer");
  }
}

TEST_CASE("an engine replaced by another version is asked again") {
  played_engine host;
  client docker(host.loop.get_executor(), host.where());
  REQUIRE(run_task(host.loop, docker.connect()));
  host.api = "1.42";
  host.answer = [](const http::request& what) -> task<http::response> {
    if (what.target.starts_with("/v1.44/"))
      co_return http::json_response(400, R"({"message":"client version 1.44 is too new"})");
    co_return http::response{204, {}, {}, {}};
  };
  CHECK_FALSE(run_task(host.loop, docker.containers.start("a")));
  CHECK(run_task(host.loop, docker.containers.start("a")));
  CHECK(docker.version().api == "1.42");
}

TEST_CASE("every call has its deadline and many are in flight at once") {
  played_engine host;
  host.answer = sleep_forever;
  client docker(host.loop.get_executor(), host.where());
  REQUIRE(run_task(host.loop, docker.connect()));
  std::vector<task<Result<container>>> all;
  for (int i = 0; i < 30; ++i) all.push_back(docker.containers.inspect("c" + std::to_string(i), 2s));
  for (const auto& each : run_task(host.loop, when_all(std::move(all)))) {
    REQUIRE_FALSE(each);
    CHECK(each.error().code == "deadline-exceeded");
  }
  CHECK(host.asked.size() == 32);
}

TEST_CASE("a cancelled call ends at once, by exception") {
  played_engine host;
  host.answer = sleep_forever;
  client docker(host.loop.get_executor(), host.where());
  REQUIRE(run_task(host.loop, docker.connect()));
  bool returned = false;
  task_group group(host.loop.get_executor());
  group.spawn("call", [](client& from, bool& done) -> task<void> {
    co_await from.containers.inspect("a");
    done = true;
  }(docker, returned));
  const auto limit = std::chrono::steady_clock::now() + 5s;
  while (host.asked.size() < 3 && std::chrono::steady_clock::now() < limit) host.loop.run_one_for(5ms);
  group.cancel();
  run_task(host.loop, group.join());
  CHECK_FALSE(returned);
}

TEST_CASE("a pull reports progress, and errors inside the 200") {
  played_engine host;
  std::vector<std::string> pieces{R"({"status":"Pulling fs layer","id":"l1"}{"status":"Down)",
                                  R"(loading","progressDetail":{"current":1,"total":2},"id":"l1"})", "\n"};
  SECTION("that fails") {
    pieces.push_back(R"({"errorDetail":{"message":"unknown blob"},"error":"unknown blob"})");
  }
  SECTION("that is cut off") { pieces.push_back(R"({"status":)"); }
  SECTION("that succeeds") { pieces.push_back(R"({"status":"Pull complete","id":"l1"})"); }
  const std::string last = pieces.back();
  host.answer = [pieces](const http::request& what) -> task<http::response> {
    if (what.method == "GET") co_return http::json_response(200, R"({"Id":"sha256:1"})");
    CHECK(what.target == "/v1.44/images/create?fromImage=a%2Fb&tag=1&platform=linux%2Famd64");
    CHECK(what.headers.get("X-Registry-Auth") == "e30=");
    co_return stream_of(pieces);
  };
  client docker(host.loop.get_executor(), host.where());
  int reports = 0;
  const auto done =
      run_task(host.loop, docker.images.pull("a/b:1", "linux/amd64", "",
                                             [&](const pull_progress& now) { reports += now.layers == 1; }));
  CHECK(reports >= 2);
  if (last.find("complete") != std::string::npos) {
    REQUIRE(done);
    CHECK(done->id == "sha256:1");
  } else {
    REQUIRE_FALSE(done);
    const bool failed = last.find("unknown blob") != std::string::npos;
    CHECK(done.error().code == (failed ? "image-pull-failed" : "engine-malformed-answer"));
  }
}

TEST_CASE("a pull that is refused before its stream is a failed pull, too") {
  played_engine host;
  host.answer = [](const http::request&) -> task<http::response> {
    co_return http::json_response(404,
                                  R"({"message":"pull access denied for a/b, repository does not exist"})");
  };
  client docker(host.loop.get_executor(), host.where());
  const auto done = run_task(host.loop, docker.images.pull("a/b"));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == "image-pull-failed");
  CHECK(done.error().message ==
        "cannot pull the image a/b: pull access denied for a/b, repository does not exist");
  CHECK_FALSE(done.error().remedy.empty());
}

TEST_CASE("answers that are no JSON are errors") {
  played_engine host;
  host.answer = [](const http::request&) -> task<http::response> {
    co_return http::text_response(200, "<html>");
  };
  client docker(host.loop.get_executor(), host.where());
  CHECK(run_task(host.loop, docker.containers.list()).error().code == "engine-malformed-answer");
  CHECK(run_task(host.loop, docker.info()).error().code == "engine-malformed-answer");
}

TEST_CASE("no engine: the sentence says what to do") {
  asio::io_context loop;
  client docker(loop.get_executor(), http::unix_endpoint("/tmp/difyd-no-engine.sock"));
  const auto failed = run_task(loop, docker.containers.start("web"));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == "engine-not-running");
  CHECK(is_unreachable(failed.error()));
  CHECK(failed.error().message ==
        "cannot start container web: cannot reach the Docker Engine at unix:///tmp/difyd-no-engine.sock: there is no "
        "such socket");
}
