// host::systemd from the command line, for a test that runs it inside a booted box:
//   units_tool state|start|stop|restart UNIT [MILLISECONDS], units_tool reload
// Prints "CODE: MESSAGE" and ends with 1 for an error, "LOAD ACTIVE RESULT FILE SOURCE" for a state.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>

#include "difyd/host/systemd.hpp"

using namespace difyd;

namespace {

int tell(const Result<>& done) {
  if (done) return 0;
  std::printf("%s: %s\n", done.error().code.c_str(), sentence(done.error()).c_str());
  return 1;
}

task<int> act(host::systemd& units, std::string verb, std::string unit, duration limit) {
  if (verb == "start") co_return tell(co_await units.start(unit, limit));
  if (verb == "stop") co_return tell(co_await units.stop(unit, limit));
  if (verb == "restart") co_return tell(co_await units.restart(unit, limit));
  if (verb == "reload") co_return tell(co_await units.reload(limit));
  const auto state = co_await units.state(unit, limit);
  if (!state) co_return tell(fail(state.error()));
  std::printf("%s %s %s %s %s\n", state->load.c_str(), state->active.c_str(), state->result.c_str(),
              state->file.c_str(), state->source.c_str());
  co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  asio::io_context loop(1);
  host::systemd units(loop.get_executor());
  int code = 3;
  const duration limit(argc > 3 ? std::stol(argv[3]) : 20000);
  asio::co_spawn(loop, act(units, argv[1], argc > 2 ? argv[2] : "", limit),
                 [&](const std::exception_ptr& failure, int result) { code = failure ? 4 : result; });
  loop.run();
  std::fflush(stdout);
  ::_exit(code);
}
