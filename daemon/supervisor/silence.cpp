#include "silence.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "engine_work.hpp"
#include "owed_commands.hpp"
#include "page.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

// What has a container now and does not stay.
std::vector<std::string> to_stop(const stack::observed& now, const std::vector<std::string>& stays) {
  std::vector<std::string> result;
  for (const auto& container : now.containers)
    if (!contains(stays, container.service) && !contains(result, container.service))
      result.push_back(container.service);
  return result;
}

bool ours(const database::session_info& session) { return session.application_name.rfind("difyd", 0) == 0; }

}  // namespace

task<Result<>> prove_silence(world& w) {
  const auto& names = w.settings.database;
  const auto database = w.database;
  if (!database)
    co_return fail("database-not-up", "cannot prove that the databases are silent: no connection to them");
  std::vector<std::string> left;
  for (int attempt = 0; attempt < 150; ++attempt) {
    auto sessions = co_await database->sessions(names.main, {names.main, names.plugin}, {});
    if (!sessions && attempt == 149) co_return fail(sessions.error());
    left.clear();
    if (sessions)
      for (const auto& session : *sessions)
        if (!ours(session) && upgrade::of_dify(session, database->where().user))
          left.push_back(upgrade::to_text(session));
    if (sessions && left.empty()) co_return Result<>{};
    co_await pause(100ms);
  }
  co_return fail("sessions-left", "cannot go on: the databases are still used by " + join(left, ", "),
                 "End those sessions, then try again");
}

task<Result<>> remove_strangers(world& w, release_ptr what, std::string operation) {
  auto seen = co_await look(w, project_of(what));
  if (!seen) co_return fail(seen.error());
  std::vector<std::string> strangers;
  for (const auto& container : seen->containers)
    if (!container.one_off && !what->project.services.contains(container.service) &&
        !contains(strangers, container.service))
      strangers.push_back(container.service);
  if (auto stopped = co_await stop_services(w, project_of(what), strangers, std::nullopt, operation);
      !stopped)
    co_return stopped;
  for (const auto& container : seen->containers)
    if (!container.one_off && contains(strangers, container.service))
      if (auto removed = co_await w.engine.containers.remove(container.id); !removed) co_return removed;
  co_return Result<>{};
}

task<Result<>> stop_dify(world& w, release_ptr what, std::string operation) {
  // The page goes up as nginx goes down; difyd-health waits for the port.
  put_page_up(w, *what);
  if (auto ended = co_await end_commands(w); !ended) co_return ended;
  auto seen = co_await look(w, project_of(what));
  if (!seen) co_return fail(seen.error());
  auto stays = infrastructure(what->project);
  for (auto& each : release::bystanders(what->project)) stays.push_back(std::move(each));
  const auto services = to_stop(*seen, stays);
  co_return co_await stop_services(w, project_of(what), services, std::nullopt, operation);
}

}  // namespace difyd::supervisor
