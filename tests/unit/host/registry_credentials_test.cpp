#include "difyd/host/registry_credentials.hpp"

#include "catch.hpp"
#include "difyd/engine/image.hpp"

using namespace difyd;
using host::credential_place;
using kind = credential_place::kind;

TEST_CASE("where docker's config.json has the password of a registry") {
  // "c29tZWJvZHk6cGFzczp3b3Jk" is somebody:pass:word.
  constexpr const char* config = R"({
    "auths": {
      "registry.example:5000": {"auth": "c29tZWJvZHk6cGFzczp3b3Jk"},
      "https://index.docker.io/v1/": {"auth": "aHViOmh1Yg=="},
      "https://with.scheme/v2/": {"auth": "c29tZWJvZHk6cGFzczp3b3Jk"},
      "token.example": {"auth": "PHRva2VuPjo=", "identitytoken": "t"},
      "empty.example": {}
    },
    "credHelpers": {"europe-docker.pkg.dev": "gcloud"}
  })";
  const auto somebody = [](const char* registry) {
    return credential_place{
        kind::given, registry, engine::registry_auth("somebody", "pass:word", registry), {}};
  };
  struct row {
    const char* image;
    credential_place place;
  };
  const std::string hub = "https://index.docker.io/v1/";
  const row rows[] = {
      {"registry.example:5000/team/api:1", somebody("registry.example:5000")},
      {"with.scheme/api", somebody("with.scheme")},
      {"langgenius/dify-api:1.11.4", {kind::given, hub, engine::registry_auth("hub", "hub", hub), {}}},
      {"token.example/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
       {kind::given, "token.example", engine::registry_auth(R"({"identitytoken":"t"})"), {}}},
      {"empty.example/a", {kind::none, "empty.example", {}, {}}},
      {"other.example/a", {kind::none, "other.example", {}, {}}},
      {"europe-docker.pkg.dev/p/r/a:1", {kind::helper, "europe-docker.pkg.dev", {}, "gcloud"}}};
  for (const auto& each : rows) {
    INFO(each.image);
    const auto place = host::place_of_credentials(config, each.image);
    REQUIRE(place);
    CHECK(*place == each.place);
  }
}

TEST_CASE("a store is asked for what has no helper of its own") {
  constexpr const char* config =
      R"({"credsStore": "pass", "credHelpers": {"a.example": "one"}, "auths": {"b.example": {"auth": "YTpi"}}})";
  CHECK(host::place_of_credentials(config, "a.example/x")->helper == "one");
  CHECK(host::place_of_credentials(config, "b.example/x")->helper == "pass");
}

TEST_CASE("no config.json is no password, a broken one is told") {
  CHECK(host::place_of_credentials("", "redis:6")->what == kind::none);
  CHECK(host::place_of_credentials("{}", "redis:6")->what == kind::none);
  CHECK(host::place_of_credentials("{", "redis:6").error().code == "docker-config-invalid");
  CHECK(host::place_of_credentials("[]", "redis:6").error().code == "docker-config-invalid");
}

TEST_CASE("what a helper prints") {
  CHECK(host::auth_of_helper(R"({"ServerURL":"r","Username":"u","Secret":"s"})", "r") ==
        Result<std::string>(engine::registry_auth("u", "s", "r")));
  CHECK(host::auth_of_helper(R"({"ServerURL":"r","Username":"<token>","Secret":"s"})", "r") ==
        Result<std::string>(engine::registry_auth(R"({"identitytoken":"s"})")));
  const auto broken = host::auth_of_helper("a-secret-that-nobody-may-see", "r");
  CHECK(broken.error().code == "credentials-failed");
  CHECK(broken.error().message.find("a-secret") == std::string::npos);
}

TEST_CASE("Google's registries") {
  for (const auto* each : {"europe-west1-docker.pkg.dev", "gcr.io", "eu.gcr.io"})
    CHECK(host::is_google_registry(each));
  for (const auto* each :
       {"https://index.docker.io/v1/", "gcr.io.example", "docker.pkg.dev.example", "notgcr.io"})
    CHECK_FALSE(host::is_google_registry(each));
}

TEST_CASE("the proxies of containers") {
  constexpr const char* config = R"({"proxies": {
    "default": {"httpProxy": "http://p:1", "noProxy": "localhost", "ftpProxy": ""},
    "tcp://far:2375": {"httpsProxy": "http://q:2", "allProxy": "socks5://r:3", "ftpProxy": "http://f:4"}
  }})";
  using variables = host::proxy_variables;
  CHECK(host::proxies_in(config, "unix:///var/run/docker.sock") == variables{{"HTTP_PROXY", "http://p:1"},
                                                                             {"http_proxy", "http://p:1"},
                                                                             {"NO_PROXY", "localhost"},
                                                                             {"no_proxy", "localhost"}});
  CHECK(host::proxies_in(config, "tcp://far:2375") == variables{{"HTTPS_PROXY", "http://q:2"},
                                                                {"https_proxy", "http://q:2"},
                                                                {"ALL_PROXY", "socks5://r:3"},
                                                                {"all_proxy", "socks5://r:3"},
                                                                {"FTP_PROXY", "http://f:4"},
                                                                {"ftp_proxy", "http://f:4"}});
  for (const auto* none : {"", "{", "[]", "{}", R"({"proxies": []})", R"({"proxies": {"default": 1}})"})
    CHECK(host::proxies_in(none, "unix:///var/run/docker.sock").empty());
}
