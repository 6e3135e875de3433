#include "guarding.hpp"

#include "difyd/base/log.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

void report(world& w, const upgrade::intruder& found, const Result<>& ended) {
  control::event event;
  event.operation = (*w.guarded.get())->id;
  event.kind = "guard";
  event.subject = "guard";
  event.state = ended ? "done" : "failed";
  event.text = ended ? "ended " + found.text + ": it is not part of this upgrade"
                     : "cannot end " + found.text + ": " + ended.error().message;
  w.events.add(std::move(event));
}

task<Result<>> end_session(world& w, int pid) {
  const auto database = w.database;
  if (!database) co_return Result<>{};
  auto done = co_await database->terminate(w.settings.database.main, pid);
  if (!done) co_return fail(done.error());
  co_return Result<>{};
}

task<void> look_once(world& w) {
  const auto rules = w.guarded.get();
  const auto still = [&] { return w.guarded.get() == rules; };  // the step may have ended meanwhile
  engine::container_filter running;
  running.all = false;
  const auto containers = co_await w.engine.containers.list(running, 10s);
  if (containers && still())
    for (const auto& found : upgrade::intruders(**rules, *containers)) {
      const auto killed = co_await w.engine.containers.kill(found.container, "SIGKILL", 10s);
      if (!still()) co_return;
      const bool ended_by_itself =
          !killed && (killed.error().code == "engine-conflict" || killed.error().code == "engine-not-found");
      if (ended_by_itself) continue;
      report(w, found, killed);
    }
  const auto database = w.database;
  if (!database) co_return;
  const auto& names = w.settings.database;
  const auto sessions = co_await database->sessions(names.main, {names.main, names.plugin}, {});
  if (!sessions || !still()) co_return;
  const auto facts = co_await database->facts(names.main);
  if (!facts || !still()) co_return;
  std::set<std::string> addresses = {facts->client_address};
  const auto now = w.observed.get();
  for (const auto& container : now->containers)
    for (const auto& [name, endpoint] : container.networks) addresses.insert(endpoint.address);
  for (const auto& found : upgrade::intruders(**rules, *sessions, addresses)) {
    const auto ended = co_await end_session(w, found.session);
    if (!still()) co_return;
    report(w, found, ended);
  }
}

}  // namespace

task<void> keep_guard(world& w) {
  for (;;) {
    co_await pause(1s);
    if (*w.guarded.get()) co_await look_once(w);
  }
}

}  // namespace difyd::supervisor
