#include "progress.hpp"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "context.hpp"

namespace difyd::cli {

std::string event_line(const control::event& event) {
  const std::string clock = event.time.size() > 19 ? event.time.substr(11, 8) + "  " : std::string();
  const std::string text = event.text.empty() ? std::string() : ": " + event.text;
  if (event.kind == "step") return clock + "step " + event.subject + " " + event.state + text;
  if (event.kind == "service") return clock + "  " + event.subject + " " + event.state + text;
  if (event.kind == "output") return clock + "    | " + event.text;
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
    clear_live();
    return false;
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

int result_code(const std::string& result) {
  if (result == "done") return succeeded;
  if (result == "refused") return refused;
  if (result == "undone") return undone;
  if (result == "held") return held;
  return failed;
}

namespace {

// The work belongs to the daemon: an interrupted client changes nothing, and says so.
void watch_interrupt(asio::signal_set& signals) {
  signals.async_wait([](const boost::system::error_code& error, int) {
    if (error) return;
    std::fputs("\ndifyd: the daemon goes on with it; see: difyd status\n", stderr);
    std::fflush(stdout);
    ::_exit(130);
  });
}

}  // namespace

task<int> follow_operation(control::client& daemon, control::accepted what, bool json) {
  asio::signal_set signals(co_await asio::this_coro::executor, SIGINT);
  watch_interrupt(signals);
  progress shown(::isatty(STDOUT_FILENO) == 1, json);
  auto followed = co_await daemon.follow(what.since, what.operation,
                                         [&](const control::event& event) { return shown.show(event); });
  signals.cancel();
  if (!followed) co_return report(followed.error(), exit_code_of(followed.error()));
  const auto& result = shown.result();
  const int code = result_code(result.state);
  if (json) co_return code;
  if (code == succeeded)
    std::fprintf(stdout, "%s\n", result.text.empty() ? "done" : result.text.c_str());
  else
    report(Error{result.code, result.state + ": " + result.text, result.remedy});
  co_return code;
}

}  // namespace difyd::cli
