#include "../../../daemon/engine/errors.hpp"
#include "../../../daemon/engine/query.hpp"
#include "../../../daemon/engine/transport.hpp"
#include "catch.hpp"

using namespace difyd;
using namespace difyd::engine;
using namespace std::chrono_literals;

TEST_CASE("statuses and messages become codes, sentences and remedies") {
  struct row {
    int status;
    const char* body;
    const char* code;
    const char* message;
    const char* remedy;  // a part of it
  };
  const row rows[] = {
      {404, R"({"message":"No such container: web"})", "engine-not-found", "No such container: web", ""},
      {404, R"({"message":"No such image: a:1"})", "engine-not-found", "No such image: a:1", "docker pull"},
      {404, "404 page not found\n", "engine-not-found", "404 page not found", ""},
      {409, R"({"message":"Conflict. The container name \"/web\" is already in use by container \"abc\"."})",
       "engine-conflict", "Conflict. The container name \"/web\" is already in use by container \"abc\".",
       "rename"},
      {500,
       R"({"message":"driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated"})",
       "engine-error",
       "driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is "
       "already "
       "allocated",
       "Port 80 is taken"},
      {500,
       R"({"message":"failed to listen on TCP socket: listen tcp4 0.0.0.0:8443: bind: address already in use"})",
       "engine-error",
       "failed to listen on TCP socket: listen tcp4 0.0.0.0:8443: bind: address already in use",
       "sport = :8443"},
      {500,
       R"({"message":"failed to bind host port for [::1]:81:172.18.0.2:80/tcp: address already in use"})",
       "engine-error", "failed to bind host port for [::1]:81:172.18.0.2:80/tcp: address already in use",
       "Port 81 is taken"},
      {400, "client version 1.12 is too old.\n", "engine-bad-request", "client version 1.12 is too old.", ""},
      {403, "", "engine-forbidden", "status 403", ""},
      {500, "{}", "engine-error", "status 500", ""},
      {503, "{broken", "engine-error", "status 503", ""},
  };
  for (const auto& each : rows) {
    INFO(each.body);
    const Error error = refusal("start container web", each.status, each.body);
    CHECK(error.code == each.code);
    CHECK(error.message == std::string("cannot start container web: ") + each.message);
    CHECK(error.remedy.find(each.remedy) != std::string::npos);
    CHECK(error.remedy.empty() == std::string_view(each.remedy).empty());
  }
}

TEST_CASE("ways of getting no answer have codes of their own") {
  const std::pair<const char*, const char*> rows[] = {
      {"socket-missing", "engine-not-running"},
      {"connection-refused", "engine-not-running"},
      {"permission-denied", "engine-permission-denied"},
      {"connection-lost", "engine-unreachable"},
      {"host-unknown", "engine-unreachable"},
      {"malformed-answer", "engine-malformed-answer"},
      {"deadline-exceeded", "deadline-exceeded"},
  };
  for (const auto& [from, to] : rows) CHECK(no_answer("stop container a", {from, "x", ""}, 5s).code == to);
  CHECK(no_answer("stop container a", {"deadline-exceeded", "x", ""}, 5s).message ==
        "cannot stop container a: no answer from the Docker Engine within 5 s");
  CHECK(no_answer("a", {"permission-denied", "x", ""}, 5s).remedy.find("group docker") != std::string::npos);
  CHECK(no_answer("a", {"socket-missing", "x", ""}, 5s).remedy.find("systemctl start docker") !=
        std::string::npos);
}

TEST_CASE("the version is the older of both sides' newest") {
  CHECK(*choose_api("1.41", "x") == "1.41");
  CHECK(*choose_api("1.45", "x") == "1.45");
  CHECK(*choose_api("1.51", "x") == "1.51");
  CHECK(*choose_api("1.54", "x") == "1.51");
  CHECK(choose_api("1.40", "x").error().code == "engine-too-old");
  for (const char* none : {"", "1", "1.", "1.x", "nginx"})
    CHECK(choose_api(none, "x").error().code == "engine-malformed-answer");
}

TEST_CASE("paths and queries are encoded") {
  CHECK(query("/a").text() == "/a");
  CHECK(query("/a").add("x", "a b&c=/").add_if(false, "n").add_if(true, "y").text() ==
        "/a?x=a%20b%26c%3D%2F&y=1");
  CHECK(query("/a").filters({{"label", {}}}).text() == "/a");
  CHECK(query("/a").filters({{"label", {"k=v"}}, {"name", {}}}).text() ==
        "/a?filters=%7B%22label%22%3A%5B%22k%3Dv%22%5D%7D");
  CHECK(container_path("a/../b", "/start") == "/containers/a%2F..%2Fb/start");
  CHECK(short_id(std::string(64, 'a')) == "aaaaaaaaaaaa");
  CHECK(short_id("web-1") == "web-1");
}
