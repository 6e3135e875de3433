#include "../../../daemon/stack/pull_retry.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::stack;

namespace {

std::optional<duration> after(const std::string& cause, int attempt = 1) {
  return pull_again_after({"image-pull-failed", "cannot pull the image x:1: " + cause, {}}, attempt);
}

}  // namespace

TEST_CASE("a pull that a faltering network or registry ended is tried again, at growing distances") {
  for (const char* cause :
       {"Get \"https://r/v2/\": dial tcp 10.0.0.1:443: i/o timeout", "net/http: TLS handshake timeout",
        "Get \"https://r/v2/\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)",
        "read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer",
        "received unexpected HTTP status: 503 Service Unavailable", "unexpected EOF",
        "dial tcp: lookup r on 10.0.0.1:53: server misbehaving"})
    CHECK(after(cause) == std::chrono::seconds(1));
  CHECK(after("unexpected EOF", 2) == std::chrono::seconds(2));
  CHECK(after("unexpected EOF", 4) == std::chrono::seconds(8));
  CHECK(!after("unexpected EOF", 5));
}

TEST_CASE("a pull that would end the same way is not tried again") {
  for (const char* cause :
       {"toomanyrequests: You have reached your unauthenticated pull rate limit", "manifest unknown",
        "pull access denied for x, repository does not exist or may require 'docker login'",
        "unauthorized: authentication required", "no space left on device",
        "x509: certificate signed by unknown authority", "dial tcp: lookup nowhere: no such host",
        "no matching manifest for linux/arm64 in the manifest list entries"})
    CHECK(!after(cause));
  CHECK(!pull_again_after({"engine-not-running", "i/o timeout", {}}, 1));
}
