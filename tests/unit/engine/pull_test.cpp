#include "catch.hpp"
#include "difyd/engine/event.hpp"
#include "difyd/engine/image.hpp"

using namespace difyd;
using namespace difyd::engine;

TEST_CASE("references are split as docker does") {
  const std::string digest = "sha256:" + std::string(64, 'a');
  struct row {
    std::string text;
    image_reference expected;
    std::string registry;
  };
  const std::string hub = "https://index.docker.io/v1/";
  const row rows[] = {
      {"nginx", {"nginx", "", ""}, hub},
      {"nginx:latest", {"nginx", "latest", ""}, hub},
      {"langgenius/dify-api:1.11.4", {"langgenius/dify-api", "1.11.4", ""}, hub},
      {"docker.io/library/nginx", {"docker.io/library/nginx", "", ""}, hub},
      {"localhost:5000/a/b", {"localhost:5000/a/b", "", ""}, "localhost:5000"},
      {"localhost/a:1", {"localhost/a", "1", ""}, "localhost"},
      {"europe-docker.pkg.dev/p/r/api:v1@" + digest,
       {"europe-docker.pkg.dev/p/r/api", "v1", digest},
       "europe-docker.pkg.dev"},
      {"a@" + digest, {"a", "", digest}, hub},
  };
  for (const auto& each : rows) {
    INFO(each.text);
    const auto parsed = parse_reference(each.text);
    REQUIRE(parsed);
    CHECK(*parsed == each.expected);
    CHECK(to_text(*parsed) == each.text);
    CHECK(registry_of(parsed->name) == each.registry);
  }
  for (const std::string bad :
       {"", ":1", "a:", "a:b:c", "Nginx", "a b", "a@sha256", "a@sha256:xyz", "a//b", "/a", "a/"}) {
    INFO(bad);
    REQUIRE_FALSE(parse_reference(bad));
    CHECK(parse_reference(bad).error().code == "image-reference-invalid");
  }
}

TEST_CASE("registry authentication is URL-safe base64 with padding") {
  CHECK(registry_auth("{}") == anonymous_auth);
  CHECK(registry_auth("") == "");
  CHECK(registry_auth("\xfb\xff\xfe?") == "-__-Pw==");
  CHECK(registry_auth("u", "p", "s") ==
        registry_auth(R"({"password":"p","serveraddress":"s","username":"u"})"));
}

TEST_CASE("a pull's lines become one progress") {
  pull_tracker tracker("a/b:1");
  const auto see = [&](const char* object) { REQUIRE(tracker.see(object)); };
  see(R"({"status":"Pulling from a/b","id":"1"})");
  CHECK(tracker.progress().layers == 0);
  see(R"({"status":"Pulling fs layer","progressDetail":{},"id":"l1"})");
  see(R"({"status":"Already exists","progressDetail":{},"id":"l2"})");
  CHECK(tracker.progress().layers == 2);
  CHECK(tracker.progress().layers_done == 1);
  see(R"({"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"l1"})");
  CHECK(tracker.progress().bytes == 10);
  CHECK(tracker.progress().total_bytes == 100);
  see(R"({"status":"Download complete","progressDetail":{},"id":"l1"})");
  CHECK(tracker.progress().bytes == 100);
  see(R"({"status":"Extracting","progressDetail":{"current":5,"total":100},"id":"l1"})");
  CHECK(tracker.progress().bytes == 100);
  see(R"({"status":"Pull complete","progressDetail":{},"id":"l1"})");
  CHECK(tracker.progress().layers_done == 2);
  see(R"({"status":"Digest: sha256:abc"})");
  CHECK(tracker.digest() == "sha256:abc");
  CHECK(tracker.progress().image == "a/b:1");
}

TEST_CASE("errors inside a pull's 200 are errors") {
  struct row {
    const char* object;
    const char* message;
    bool has_remedy;
  };
  const row rows[] = {
      {R"({"errorDetail":{"message":"unknown blob"},"error":"unknown blob"})", "unknown blob", false},
      {R"({"errorDetail":{"message":"manifest unknown"}})", "manifest unknown", true},
      {R"({"error":"toomanyrequests: You have reached your pull rate limit."})",
       "toomanyrequests: You have reached your pull rate limit.", true},
  };
  for (const auto& each : rows) {
    pull_tracker tracker("a/b:1");
    const auto seen = tracker.see(each.object);
    REQUIRE_FALSE(seen);
    CHECK(seen.error().code == "image-pull-failed");
    CHECK(seen.error().message == std::string("cannot pull the image a/b:1: ") + each.message);
    CHECK(seen.error().remedy.empty() != each.has_remedy);
  }
  pull_tracker tracker("a/b:1");
  CHECK(tracker.see("{not json").error().code == "engine-malformed-answer");
}

TEST_CASE("events are decoded") {
  const auto died = decode_event(
      R"({"status":"die","id":"abc","from":"busybox","Type":"container","Action":"die","Actor":{"ID":"abc",
          "Attributes":{"exitCode":"7","image":"busybox","com.docker.compose.project":"dify","name":"dify-api-1"}},
          "scope":"local","time":1700000000,"timeNano":1700000000123456789})");
  REQUIRE(died);
  CHECK(died->type == "container");
  CHECK(died->action == "die");
  CHECK(died->id == "abc");
  CHECK(died->attribute("exitCode") == "7");
  CHECK(died->attribute("none").empty());
  CHECK(since_text(died->time_nano) == "1700000000.123456789");
  CHECK(decode_event(R"({"Type":"a","Action":"b","time":5})")->time_nano == 5'000'000'000);
  CHECK_FALSE(decode_event(R"({"status":"die"})"));
  CHECK_FALSE(decode_event("{"));
}
