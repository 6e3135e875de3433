#include "cloudsql.hpp"

#include "difyd/base/task_group.hpp"
#include "difyd/host/api_request.hpp"
#include "difyd/host/metadata.hpp"

namespace difyd::supervisor {
namespace {

void tell(world& w, const std::string& operation, std::string text) {
  w.events.tell(operation, "output", "backup", {}, std::move(text));
}

task<Result<std::string>> token() {
  auto token = co_await host::read_access_token();
  if (!token) co_return fail(token.error());
  if (!*token)
    co_return fail("cloudsql-denied", "the metadata server gives this machine no token",
                   "The machine needs a service account with the scope cloud-platform");
  co_return std::move(**token);
}

task<cloud_answer> ask(const std::string& root, cloud_backup::request what) {
  const auto pass = co_await token();
  if (!pass) co_return cloud_answer{0, pass.error().message};
  host::api_request request;
  request.method = what.method;
  request.url = root + what.path;
  request.headers = {"Authorization: Bearer " + *pass};
  if (!what.body.empty()) request.headers.emplace_back("Content-Type: application/json");
  request.body = std::move(what.body);
  const auto answer = co_await host::call_api(std::move(request));
  if (!answer) co_return cloud_answer{0, answer.error().message};
  co_return cloud_answer{answer->status, answer->body};
}

task<Result<cloud_run>> take(world& w, std::string operation, cloud_backup backup) {
  const std::string root = w.settings.upgrade.cloudsql_api;
  while (backup.at() == cloud_backup::state::asking) {
    const auto next = backup.next();
    co_await pause(next.wait);
    const auto answer = co_await ask(root, next);
    backup.answer(answer, std::chrono::steady_clock::now());
    if (auto news = backup.news(); !news.empty()) tell(w, operation, std::move(news));
  }
  if (backup.at() == cloud_backup::state::failed) co_return fail(backup.error());
  const auto& run = backup.run();
  tell(w, operation, "Cloud SQL instance " + run.instance + ": backup " + run.id + " of " + run.ended);
  co_return run;
}

}  // namespace

task<Result<std::vector<cloud_run>>> take_cloud_backups(world& w, std::string operation, std::string what) {
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(w.settings.upgrade.backup_timeout);
  std::vector<task<Result<cloud_run>>> all;
  for (const auto& text : w.settings.upgrade.cloudsql_instances.value_or(config::text_list{})) {
    auto instance = parse_instance(text);
    if (!instance) co_return fail(instance.error());
    all.push_back(take(
        w, operation,
        cloud_backup(*instance, "difyd " + operation + " " + what, std::chrono::steady_clock::now(), limit)));
  }
  std::vector<cloud_run> runs;
  for (auto& each : co_await when_all(std::move(all))) {
    if (!each) co_return fail(each.error());
    runs.push_back(std::move(*each));
  }
  co_return runs;
}

}  // namespace difyd::supervisor
