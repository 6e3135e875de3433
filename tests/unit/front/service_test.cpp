#include "../../../daemon/front/service.hpp"

#include <boost/asio/io_context.hpp>

#include "catch.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::front;
using namespace std::chrono_literals;

namespace {

served example(bool for_all) {
  publication published;
  published.says.readyz = answer::ok;
  published.status_for_all = for_all;
  served now;
  now.ready = make_answers(published);
  now.status = "{\"phase\":\"serving\"}";
  now.status_page = "<h1>serving</h1>";
  return now;
}

struct asked {
  std::string path = "/status";
  std::string from = "127.0.0.1:5000";
  http::headers headers = {};
  std::string method = "GET";
};

http::response ask(const served& now, const asked& what, bool switched_on = false) {
  asio::io_context loop;
  cell<served> current(loop.get_executor(), now);
  const auto rules = health_port(current, {"127.0.0.1", 1}, switched_on);
  http::request request;
  request.method = what.method;
  request.target = what.path;
  request.headers = what.headers;
  return run_task(rules.answer(request, http::peer{what.from, {}}));
}

}  // namespace

TEST_CASE("the status is for this machine unless it is switched on") {
  for (const char* here : {"127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
    INFO(here);
    CHECK(ask(example(false), {"/status", here}).status == 200);
  }
  for (const char* elsewhere : {"10.0.0.7:1", "35.191.0.1:1", "[2001:db8::1]:1", "[::ffff:10.0.0.7]:1"}) {
    INFO(elsewhere);
    CHECK(ask(example(false), {"/status", elsewhere}).status == 404);
    CHECK(ask(example(true), {"/status", elsewhere}).status == 200);
    CHECK(ask(example(false), {"/status", elsewhere}, true).status == 200);
    CHECK(ask(example(false), {"/healthz", elsewhere}).status == 200);
  }
}

TEST_CASE("a browser gets a page, a program JSON") {
  const auto type = [](const char* accept) {
    return std::string(
        ask(example(false), {"/status", "127.0.0.1:1", {{"Accept", accept}}}).headers.get("Content-Type"));
  };
  CHECK(type("text/html,application/xhtml+xml,*/*;q=0.8") == "text/html; charset=utf-8");
  CHECK(type("application/json") == "application/json");
  CHECK(type("*/*") == "application/json");  // curl
  CHECK(ask(example(false), {}).headers.get("Content-Type") == "application/json");
  const auto page = ask(example(false), {"/status", "127.0.0.1:1", {{"Accept", "text/html"}}});
  CHECK(page.headers.get("Vary") == "Accept");
  CHECK(page.headers.get("Content-Security-Policy").starts_with("default-src 'none'"));
  CHECK(page.headers.get("Cache-Control") == "no-store");
}

TEST_CASE("unknown paths are not found, other methods not allowed") {
  CHECK(ask(example(false), {"/nothing"}).status == 404);
  CHECK(ask(example(false), {"/healthz?x=1"}).status == 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto refused = ask(example(false), {"/readyz", "127.0.0.1:1", {}, method});
    CHECK(refused.status == 405);
    CHECK(refused.headers.get("Allow") == "GET, HEAD");
  }
  CHECK(ask(example(false), {"/readyz", "127.0.0.1:1", {}, "HEAD"}).status == 200);
}
