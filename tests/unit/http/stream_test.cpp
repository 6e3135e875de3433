// Streams of the server, read by the client and by hand.
#include "fixture.hpp"

using namespace difyd;
using namespace difyd::http;

namespace {

struct counter {
  int sent = 0;
  int last = 3;
  bool waiting = false;  // for the second piece, when there are many
  bool cancelled = false;
};

handler counting(std::shared_ptr<counter> state) {
  return [state](const request&, const peer&) -> task<response> {
    response result = text_response(200, "start\n");
    result.next = [state]() -> task<std::optional<std::string>> {
      if (state->sent == state->last) co_return std::nullopt;
      try {
        state->waiting = state->sent > 0 && state->last > 100;
        co_await pause(state->waiting ? duration(1h) : 1ms);
      } catch (...) {
        state->cancelled = true;
        throw;
      }
      co_return "line " + std::to_string(++state->sent) + "\n";
    };
    co_return result;
  };
}

task<std::string> read_everything(client& from) {
  auto stream = co_await from.open({"GET", "/events", {}, {}}, 5s);
  REQUIRE(stream);
  CHECK(stream->head().status == 200);
  std::string all;
  for (;;) {
    auto piece = co_await stream->read(5s);
    REQUIRE(piece);
    if (!*piece) co_return all;
    all += **piece;
  }
}

}  // namespace

TEST_CASE("a stream comes in pieces and ends; its connection serves again") {
  auto state = std::make_shared<counter>();
  served host(counting(state));
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  CHECK(run_task(host.loop, read_everything(from)) == "start\nline 1\nline 2\nline 3\n");
  state->sent = 0;
  CHECK(run_task(host.loop, read_everything(from)) == "start\nline 1\nline 2\nline 3\n");
  CHECK(host.server.connections() == 1);
}

TEST_CASE("HTTP/1.0 gets a stream until the end of the connection") {
  served host(counting(std::make_shared<counter>()));
  raw_client client(host.path);
  client.say("GET / HTTP/1.0\r\n\r\n");
  client.wait_for_end(host.loop);
  CHECK(client.heard.ends_with("\r\n\r\nstart\nline 1\nline 2\nline 3\n"));
}

TEST_CASE("a stream's generator is cancelled when its client goes") {
  auto state = std::make_shared<counter>();
  state->last = 1000;
  served host(counting(state));
  raw_client client(host.path);
  client.say("GET / HTTP/1.1\r\n\r\n");
  client.hear(host.loop, "line 1");
  REQUIRE(eventually(host.loop, [&] { return state->waiting; }));
  CHECK_FALSE(state->cancelled);
  client.close();
  CHECK(eventually(host.loop, [&] { return state->cancelled; }));
  CHECK(eventually(host.loop, [&] { return host.server.connections() == 0; }));
}

TEST_CASE("a read of a stream gives up at its deadline and can be taken up again") {
  auto state = std::make_shared<counter>();
  state->last = 1000;
  served host(counting(state));
  client from(host.loop.get_executor(), unix_endpoint(host.path));
  const auto work = [](client& of) -> task<void> {
    auto stream = co_await of.open({"GET", "/", {}, {}}, 5s);
    REQUIRE(stream);
    std::string all;
    while (all.find("line 1\n") == std::string::npos) {
      auto piece = co_await stream->read(5s);
      REQUIRE((piece && *piece));
      all += **piece;
    }
    for (int i = 0; i < 2; ++i) {
      auto late = co_await stream->read(10ms);
      REQUIRE_FALSE(late);
      CHECK(late.error().code == "deadline-exceeded");
    }
  };
  run_task(host.loop, [](auto f, client& of) -> task<int> {
    co_await f(of);
    co_return 0;
  }(work, from));
}
