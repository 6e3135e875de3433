#include "progress.hpp"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <optional>

#include "context.hpp"
#include "endings.hpp"

namespace difyd::cli {

std::string event_line(const control::event& event) {
  const std::string clock = event.time.size() > 19 ? event.time.substr(11, 8) + "  " : std::string();
  const std::string text = event.text.empty() ? std::string() : ": " + event.text;
  if (event.kind == "step") return clock + "step " + event.subject + " " + event.state + text;
  if (event.kind == "service") return clock + "  " + event.subject + " " + event.state + text;
  if (event.kind == "storage") return clock + "  storage " + event.state + text;
  if (event.kind == "output") return clock + "    | " + event.text;
  if (event.kind == "guard") return clock + "  guard: " + event.text;
  if (event.kind == "hook") return clock + "  hook " + event.state + text;
  if (event.kind == "migration") return clock + "  " + event.text;
  if (event.kind == "fetch") return clock + "  fetch " + event.subject + " " + event.state + text;
  if (event.kind == "pull") return clock + "  pull " + event.subject + " " + event.state + text;
  if (event.kind == "phase") return clock + "phase " + event.state + text;
  return {};
}

void progress::clear_live() {
  if (live_shown_) std::fputs("\r\x1b[K", stdout);
  live_shown_ = false;
}

void progress::line(const std::string& text) {
  clear_live();
  std::fprintf(stdout, "%s\n", text.c_str());
  std::fflush(stdout);
}

void progress::live(const std::string& text) {
  clear_live();
  std::fputs(text.substr(0, 110).c_str(), stdout);
  std::fflush(stdout);
  live_shown_ = true;
}

bool progress::show(const control::event& event) {
  const bool last = event.kind == "result";
  if (last) result_ = event;
  if (json_) {
    std::fprintf(stdout, "%s\n", control::to_json(event).c_str());
    std::fflush(stdout);
    return !last;
  }
  if (last) {
    flush(event.text);
    clear_live();
    return false;
  }
  flush({});
  if (event.kind == "step" && event.state == "failed") {
    waiting_.push_back(event);
    return true;
  }
  const std::string text = event_line(event);
  if (text.empty()) return true;
  // What passes is a live line on a terminal and nothing in a file; what is over is a line.
  const bool passing = event.kind != "step" && (event.state == "waiting" || event.state == "working");
  if (!passing)
    line(text);
  else if (terminal_)
    live(text);
  return true;
}

// What the result says is not said by its step before.
void progress::flush(const std::string& result) {
  for (auto& each : waiting_) {
    if (!result.empty() && each.text.ends_with(result)) {
      each.text.resize(each.text.size() - result.size());
      if (each.text.ends_with(", ")) each.text.resize(each.text.size() - 2);
    }
    line(event_line(each));
  }
  waiting_.clear();
}

int result_code(const std::string& result, const std::string& code) {
  if (result == "done") return succeeded;
  if ((result == "refused" || result == "failed") && control::bad_input(code)) return usage_error;
  if (result == "refused") return refused;
  if (result == "undone") return undone;
  if (result == "held") return held;
  return failed;
}

std::vector<control::event> earlier_steps(const control::operation_status& upgrade,
                                          const control::event& first) {
  std::vector<control::event> lines;
  for (const auto& step : upgrade.steps) {
    if (first.kind == "step" && first.subject == step.step) break;
    if (step.started >= first.time) break;
    control::event line;
    line.time = step.started;
    line.operation = upgrade.id;
    line.kind = "step";
    line.subject = step.step;
    line.state = step.state;
    line.text = step.detail;
    lines.push_back(std::move(line));
  }
  return lines;
}

namespace {

// The work belongs to the daemon: an interrupted client changes nothing, and says so.
void watch_interrupt(asio::signal_set& signals, std::string text) {
  signals.async_wait([text = std::move(text)](const boost::system::error_code& error, int) {
    if (error) return;
    std::fflush(stdout);
    std::fprintf(stderr, "\ndifyd: %s\n", text.c_str());
    ::_exit(interrupted);
  });
}

// Says how it ended; what can be done in a hold is what difyd status says.
task<int> tell_result(control::client& daemon, control::event result, bool json) {
  const int code = result_code(result.state, result.code);
  if (json) co_return code;
  if (code == succeeded) {
    std::fprintf(stdout, "%s\n", result.text.empty() ? "done" : result.text.c_str());
    co_return code;
  }
  report(Error{result.code, result.state + ": " + result.text, result.remedy}, code);
  if (code != held) co_return code;
  const auto answer = co_await daemon.get("/v1/status", std::chrono::seconds(10));
  const auto status = answer ? control::parse_status(*answer) : fail(answer.error());
  if (!status) co_return code;
  for (const auto& option : status->options)
    if (result.remedy.find(option) == std::string::npos) std::fprintf(stderr, "       %s\n", option.c_str());
  co_return code;
}

task<Result<control::status>> status_of(control::client& daemon) {
  auto answer = co_await daemon.get("/v1/status");
  if (!answer) co_return fail(answer.error());
  co_return control::parse_status(*answer);
}

task<Result<std::optional<control::operation_status>>> last_upgrade(control::client& daemon) {
  auto status = co_await status_of(daemon);
  if (!status) co_return fail(status.error());
  co_return std::move(status->operation);
}

// Nothing of it is left to follow but what it came to.
task<int> tell_ended(control::client& daemon, control::operation_status upgrade, bool json) {
  const auto now = co_await status_of(daemon);
  if (!now) co_return report(now.error(), exit_code_of(now.error()));
  const auto answer = co_await daemon.get("/v1/history");
  if (!answer) co_return report(answer.error(), exit_code_of(answer.error()));
  const auto history = control::parse_history(*answer);
  if (!history) co_return report(history.error());
  auto result = ending_of(upgrade, *history, *now);
  progress shown(false, json);
  shown.show(result);
  co_return co_await tell_result(daemon, std::move(result), json);
}

}  // namespace

namespace {

// To its result, which is shown where the events are JSON.
task<Result<control::event>> follow_to_result(control::client& daemon, control::accepted what, bool json,
                                              std::string interrupted) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT);
  watch_interrupt(signals, std::move(interrupted));
  progress shown(::isatty(STDOUT_FILENO) == 1, json);
  auto followed = co_await daemon.follow(what.since, what.operation,
                                         [&](const control::event& event) { return shown.show(event); });
  signals.cancel();
  if (!followed) co_return fail(followed.error());
  co_return shown.result();
}

}  // namespace

task<int> follow_operation(control::client& daemon, control::accepted what, bool json,
                           std::string interrupted) {
  auto result = co_await follow_to_result(daemon, std::move(what), json, std::move(interrupted));
  if (!result) co_return report(result.error(), exit_code_of(result.error()));
  co_return co_await tell_result(daemon, std::move(*result), json);
}

task<int> follow_abort(control::client& daemon, control::accepted what, bool json) {
  auto result = co_await follow_to_result(daemon, std::move(what), json, upgrade_goes_on);
  if (!result) co_return report(result.error(), exit_code_of(result.error()));
  if (!ended_by_abort(*result)) {
    const int code = co_await tell_result(daemon, std::move(*result), json);
    // Going back is what was asked for.
    co_return code == undone || code == refused ? int(succeeded) : code;
  }
  if (json) co_return succeeded;
  const auto now = co_await status_of(daemon);
  const auto text = now ? abort_text(*result, *now) : result->text;
  std::fprintf(stdout, "%s\n", text.c_str());
  co_return succeeded;
}

task<int> follow_upgrade(control::client& daemon, bool json) {
  const auto found = co_await last_upgrade(daemon);
  if (!found) co_return report(found.error(), exit_code_of(found.error()));
  if (!*found)
    co_return report({"no-upgrade", "no upgrade is in flight", "Past ones: difyd history"}, refused);
  const control::operation_status upgrade = **found;
  if (!upgrade.result.empty()) co_return co_await tell_ended(daemon, upgrade, json);

  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT);
  watch_interrupt(signals, upgrade_goes_on);
  progress shown(::isatty(STDOUT_FILENO) == 1, json);
  if (!json)
    std::printf("upgrade %s, running since %s\n", versions_of(upgrade).c_str(), upgrade.started.c_str());
  std::uint64_t since = 0;
  bool begun = false;
  control::event result;
  const auto see = [&](const control::event& event) {
    since = event.sequence;
    const bool own = event.operation == upgrade.id;
    if (own && !begun)
      for (const auto& step : earlier_steps(upgrade, event)) shown.show(step);
    begun = begun || own;
    if (begun && event.kind == "result") {
      result = event;
      return false;
    }
    return !own || shown.show(event);
  };
  // An upgrade that a start resumed ends with the result of that start, which has an id of its own.
  for (;;) {
    auto followed = co_await daemon.follow(since, {}, see);
    if (!followed) co_return report(followed.error(), exit_code_of(followed.error()));
    if (result.operation == upgrade.id) break;
    const auto now = co_await last_upgrade(daemon);
    if (!now) co_return report(now.error(), exit_code_of(now.error()));
    if (!*now || (*now)->id != upgrade.id || !(*now)->result.empty()) break;
  }
  signals.cancel();
  shown.show(result);
  co_return co_await tell_result(daemon, std::move(result), json);
}

}  // namespace difyd::cli
