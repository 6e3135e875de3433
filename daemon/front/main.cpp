// difyd-health: answers /healthz and /readyz from the verdict that the supervisor published,
// and nginx's port with a maintenance page while nginx is down. Small on purpose: it must
// outlive whatever happens to the supervisor.
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "difyd/base/task_group.hpp"
#include "difyd/front/notify.hpp"
#include "service.hpp"

namespace {

using namespace difyd;
using namespace difyd::front;

constexpr const char* usage =
    "usage: difyd-health [--listen ADDRESS:PORT] [--verdict FILE] [--status]\n"
    "  --listen       where to answer while the published verdict names no address (0.0.0.0:9180)\n"
    "  --verdict      what the supervisor publishes (/run/difyd/verdict.json); the rest is beside it\n"
    "  --status       answer /status to everybody, not only to this machine\n"
    "  --end-with     process number of the parent: end when it does, however it does\n";

struct options {
  std::string listen = "0.0.0.0:9180";
  std::string verdict = default_verdict_path;
  bool status = false;
  std::string end_with;  // process number of the parent
};

std::optional<options> parse(int count, char** values) {
  options result;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = values[i];
    std::string* into = word == "--listen"     ? &result.listen
                        : word == "--verdict"  ? &result.verdict
                        : word == "--end-with" ? &result.end_with
                                               : nullptr;
    if (into && i + 1 < count)
      *into = values[++i];
    else if (word == "--status")
      result.status = true;
    else
      return std::nullopt;
  }
  return result;
}

// Without a unit of our own nobody else would end us after a supervisor that was killed. False:
// it is gone already.
bool follow_parent(const std::string& parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  return std::to_string(::getppid()) == parent;
}

void feed_watchdog() {
  static const bool wanted = std::getenv("WATCHDOG_USEC") != nullptr;
  if (wanted) notify("WATCHDOG=1");
}

void say_listening(const wanted_port& where) {
  std::fprintf(stderr, "<6>answering on %s:%u\n", where.address.c_str(), unsigned{where.port});
  notify("READY=1");
}

// A loop that ends by an exception is a bug: systemd starts us again, with the same verdict.
void give_up(const std::string& child, const std::string& what) {
  std::fprintf(stderr, "<3>%s failed: %s\n", child.c_str(), what.c_str());
  std::_Exit(1);
}

// The listeners let go by themselves once told that we leave; the file watcher is cancelled.
task<void> run(options chosen, wanted_port fallback) {
  const auto executor = co_await asio::this_coro::executor;
  asio::signal_set signals(executor, SIGTERM, SIGINT);  // before anybody can know that we run
  verdict_file files(executor, chosen.verdict);
  files.reload();
  task_group watchers(executor, give_up), ports(executor, give_up);
  watchers.spawn("verdict file", files.follow(feed_watchdog));
  auto health = health_port(files.current(), fallback, chosen.status);
  health.on_listening = say_listening;
  ports.spawn("health", hold_port(files.current(), health));
  ports.spawn("maintenance", hold_port(files.current(), maintenance_port(files.current())));
  co_await signals.async_wait(asio::use_awaitable);
  notify("STOPPING=1");
  files.leave();
  co_await ports.join();
  watchers.cancel();
  co_await watchers.join();
}

}  // namespace

int main(int count, char** values) {
  const auto chosen = parse(count, values);
  const auto fallback = chosen ? parse_listen(chosen->listen) : std::nullopt;
  if (!fallback) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (!chosen->end_with.empty() && !follow_parent(chosen->end_with)) return 0;
  asio::io_context loop(1);
  int code = 0;
  asio::co_spawn(loop, run(*chosen, *fallback),
                 [&code](std::exception_ptr failure) { code = failure ? 1 : 0; });
  loop.run();
  return code;
}
