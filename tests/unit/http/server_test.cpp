#include "difyd/http/server.hpp"

#include "fixture.hpp"

using namespace difyd;
using namespace difyd::http;

namespace {

server_options quick() {
  server_options options;
  options.header_deadline = 100ms;
  options.body_deadline = 100ms;
  options.idle_timeout = 200ms;
  options.max_connections = 2;
  options.max_body = 10;
  return options;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("pipelined requests are answered in order") {
  served host(echo);
  raw_client client(host.path);
  client.say("GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n");
  client.hear(host.loop, "POST /2 abc");
  client.say("Connection: close\r\n\r\n");
  client.wait_for_end(host.loop);
  CHECK(count_of(client.heard, "HTTP/1.1 200 OK\r\n") == 3);
  CHECK(client.heard.find("GET /1") < client.heard.find("POST /2 abc"));
  CHECK(client.heard.find("POST /2 abc") < client.heard.find("GET /3"));
}

TEST_CASE("the server refuses what is malformed, too slow or too large, and closes") {
  struct row {
    const char* name;
    std::string say;
    const char* status;
  };
  const row rows[] = {
      {"no HTTP", "hello\r\n\r\n", "400"},
      {"two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {"slow header", "GET / HTTP/1.1\r\nHost:", "408"},
      {"slow body", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", "408"},
      {"oversized header", "GET / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "431"},
      {"endless header", "GET /" + std::string(9000, 'x'), "431"},
      {"oversized body", "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", "413"},
      {"oversized chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n",
       "413"},
  };
  for (const auto& each : rows) {
    INFO(each.name);
    served host(echo, quick());
    raw_client client(host.path);
    client.say(each.say);
    client.hear(host.loop, "\r\n\r\n");
    CHECK(client.heard.substr(0, 12) == std::string("HTTP/1.1 ") + each.status);
    CHECK(client.heard.find("Connection: close") != std::string::npos);
    client.wait_for_end(host.loop);
  }
}

TEST_CASE("a silent connection is closed without a word, and so is one too many") {
  served host(echo, quick());
  raw_client first(host.path), second(host.path), third(host.path);
  third.wait_for_end(host.loop);
  CHECK(third.heard.empty());
  first.wait_for_end(host.loop);
  second.wait_for_end(host.loop);
  CHECK(eventually(host.loop, [&] { return host.server.connections() == 0; }));
  raw_client again(host.path);
  again.say("GET /x HTTP/1.0\r\n\r\n");
  again.wait_for_end(host.loop);
  CHECK(again.heard.find("GET /x") != std::string::npos);
}

TEST_CASE("HEAD has a length and no body; Expect is answered; a handler's exception is a 500") {
  served host([](const request& what, const peer& from) -> task<response> {
    if (what.target == "/throw") throw std::runtime_error("broken");
    co_return text_response(200, std::to_string(from.identity ? from.identity->uid : 1u) + " " + what.body);
  });
  raw_client client(host.path);
  client.say("HEAD / HTTP/1.1\r\n\r\n");
  client.hear(host.loop, "\r\n\r\n");
  CHECK(client.heard.find("Content-Length: 2") != std::string::npos);
  CHECK(client.heard.ends_with("\r\n\r\n"));
  client.heard.clear();
  client.say("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.hear(host.loop, "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.say("ok");
  CHECK(client.hear(host.loop, " ok").ends_with(std::to_string(::getuid()) + " ok"));
  client.heard.clear();
  client.say("GET /throw HTTP/1.1\r\n\r\n");
  const std::string failure = client.hear(host.loop, "}}\n");
  CHECK(failure.starts_with("HTTP/1.1 500 "));
  CHECK(failure.find(R"({"error":{"code":"internal-server-error",)") != std::string::npos);
}

TEST_CASE("a handler can end the connection, and cannot break the framing") {
  served host([](const request&, const peer&) -> task<response> {
    response result = text_response(503, "later");
    result.headers.set("Connection", "close");
    result.headers.set("Content-Length", "1000");
    co_return result;
  });
  raw_client client(host.path);
  client.say("GET / HTTP/1.1\r\n\r\n");
  client.wait_for_end(host.loop);
  CHECK(client.heard.ends_with("\r\n\r\nlater"));
  CHECK(count_of(client.heard, "Connection: close\r\n") == 1);
  CHECK(count_of(client.heard, "Content-Length: ") == 1);
}

TEST_CASE("a client that only ended its sending gets its answer") {
  served host([](const request&, const peer&) -> task<response> {
    co_await pause(20ms);
    co_return text_response(200, "late");
  });
  raw_client client(host.path);
  client.say("GET / HTTP/1.1\r\n\r\n");
  client.end_of_input();
  client.wait_for_end(host.loop);
  CHECK(client.heard.ends_with("late"));
}

TEST_CASE("a handler is cancelled when its client goes, and when the server stops") {
  bool cancelled = false;
  served host([&cancelled](const request&, const peer&) -> task<response> {
    try {
      co_await pause(1h);
    } catch (...) {
      cancelled = true;
      throw;
    }
    co_return text_response(200, "");
  });
  raw_client client(host.path);
  client.say("GET / HTTP/1.1\r\n\r\n");
  CHECK_FALSE(eventually(host.loop, [&, limit = std::chrono::steady_clock::now() + 50ms] {
                return cancelled || std::chrono::steady_clock::now() > limit;
              }) != !cancelled);
  SECTION("client goes") { client.close(); }
  SECTION("server stops") {
    host.server.stop();
    run_task(host.loop, host.server.join(20ms));
  }
  CHECK(eventually(host.loop, [&] { return cancelled; }));
  CHECK(eventually(host.loop, [&] { return host.server.connections() == 0; }));
}

TEST_CASE("stop closes idle connections and removes the socket") {
  served host(echo);
  raw_client client(host.path);
  client.say("GET / HTTP/1.1\r\n\r\n");
  client.hear(host.loop, "GET /");
  host.server.stop();
  run_task(host.loop, host.server.join(5s));
  client.wait_for_end(host.loop);
  CHECK_FALSE(std::filesystem::exists(host.path));
}

TEST_CASE("a handler that never waits answers before the body comes, and the connection ends with that") {
  auto options = quick();
  options.at_once = true;
  served host(echo, options);
  raw_client client(host.path);
  client.say("POST /big HTTP/1.1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\nsome of it");
  client.hear(host.loop, "POST /big");
  CHECK(client.heard.find("HTTP/1.1 200 OK\r\n") == 0);
  CHECK(client.heard.find("Connection: close\r\n") != std::string::npos);
  client.say("more of it, which nobody reads");
  client.end_of_input();
  client.wait_for_end(host.loop);
  CHECK(count_of(client.heard, "HTTP/1.1") == 1);
}

TEST_CASE("a small body is read with its request, and the connection stays") {
  auto options = quick();
  options.at_once = true;
  served host(echo, options);
  raw_client client(host.path);
  client.say("POST /1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n");
  client.hear(host.loop, "GET /2");
  CHECK(client.heard.find("POST /1 abc") != std::string::npos);
  CHECK(count_of(client.heard, "HTTP/1.1 200 OK\r\n") == 2);
}

TEST_CASE("room is made by closing the connection that would be missed the least") {
  auto options = quick();
  options.idle_timeout = 10s;
  options.make_room = true;
  served host(echo, options);  // two at most
  raw_client checker(host.path);
  for (const char* path : {"GET /1", "GET /2"}) {
    checker.say(std::string(path) + " HTTP/1.1\r\n\r\n");
    checker.hear(host.loop, path);
  }
  raw_client once(host.path);
  once.say("GET /once HTTP/1.1\r\n\r\n");
  once.hear(host.loop, "GET /once");
  raw_client newest(host.path);
  newest.say("GET /new HTTP/1.1\r\n\r\n");
  newest.hear(host.loop, "GET /new");
  once.wait_for_end(host.loop);
  checker.say("GET /3 HTTP/1.1\r\n\r\n");
  CHECK(checker.hear(host.loop, "GET /3").find("GET /3") != std::string::npos);
  CHECK_FALSE(checker.ended());
}
