#include "hooks.hpp"

#include "difyd/base/log.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

constexpr int not_now = 75;  // EX_TEMPFAIL of sysexits.h

void tell(world& w, const std::string& upgrade, const std::string& state, std::string text) {
  w.events.tell(upgrade, "hook", "hook", state, std::move(text));
}

void tell_lines(world& w, const std::string& upgrade, const std::string& point, const std::string& output) {
  for (const auto& line : split(trim(output), '\n'))
    if (!line.empty()) tell(w, upgrade, "working", point + ": " + line);
}

}  // namespace

task<Result<>> run_hook(world& w, std::string point, control::past_upgrade upgrade) {
  const auto& program = w.settings.upgrade.hook;
  if (!program || program->empty()) co_return Result<>{};
  process_spec spec;
  spec.argv = *program;
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "DIFYD_HOOK=" + point, "DIFYD_UPGRADE=" + upgrade.id};
  spec.input = control::to_json(upgrade) + "\n";
  spec.limit = w.settings.upgrade.hook_timeout;
  spec.max_output = 16 << 10;
  const auto done = co_await run_process(std::move(spec));
  if (done) tell_lines(w, upgrade.id, point, done->output + "\n" + done->errors);
  if (done && done->exit_code == 0) {
    tell(w, upgrade.id, "done", point);
    co_return Result<>{};
  }
  const std::string cause =
      done ? program->front() + " ended with " + std::to_string(done->exit_code) : done.error().message;
  tell(w, upgrade.id, "failed", point + ": " + cause);
  log::warning("hook", "the hook failed", {{"point", point}, {"cause", cause}});
  if (done && done->exit_code == not_now)
    co_return fail(
        "hook-not-now",
        "cannot upgrade now: the hook says so (75): " + std::string(trim(done->output)).substr(0, 300),
        "Nothing was stopped. Upgrade again later");
  co_return Result<>{};
}

}  // namespace difyd::supervisor
