// Exit code 77 where there is no engine to test against.
#ifdef DIFYD_CATCH2_V3
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <unistd.h>

#include <cstdio>

#include "difyd/engine/client.hpp"
#include "engine_test.hpp"
#include "run_task.hpp"

namespace {

int skip(const std::string& cause) {
  std::fprintf(stderr, "skipped: %s\n", cause.c_str());
  return 77;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace difyd;
  asio::io_context loop;
  const auto where = engine::endpoint_from_environment();
  if (!where) return skip(where.error().message);
  if (::access(engine_test::busybox, R_OK) != 0) return skip("busybox-static is not installed");
  engine::client docker(loop.get_executor(), *where);
  const auto version = run_task(loop, docker.connect());
  if (!version) return skip(version.error().message);
  std::printf("Docker Engine %s, API %s of %s\n", version->server.c_str(), version->api.c_str(),
              version->server_api.c_str());
  return Catch::Session().run(argc, argv);
}
