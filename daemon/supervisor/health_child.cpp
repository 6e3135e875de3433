#include "health_child.hpp"

#include "difyd/base/log.hpp"
#include "difyd/base/process.hpp"

namespace difyd::supervisor {

task<void> keep_health_child(std::vector<std::string> argv) {
  for (;;) {
    process_spec spec;
    spec.argv = argv;
    spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    spec.limit = std::chrono::hours(24 * 365);
    spec.max_output = 4096;
    const auto ended = co_await run_process(std::move(spec));
    log::error(
        "health", "difyd-health ended",
        {{"cause", ended ? std::to_string(ended->exit_code) + " " + ended->errors : ended.error().message}});
    co_await pause(std::chrono::seconds(1));
  }
}

}  // namespace difyd::supervisor
