// Steps start, verify, commit and put_back: Dify comes up again, the new version or the old one.
#include <algorithm>

#include "difyd/base/log.hpp"
#include "difyd/release/roles.hpp"
#include "page.hpp"
#include "readiness.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> all_but(const compose::project& project, const std::string& left_out) {
  std::vector<std::string> result;
  for (const auto& [name, service] : project.services)
    if (name != left_out) result.push_back(name);
  return result;
}

task<Result<>> api_has_version(world& w, const release::release& what) {
  const std::string api = release::api_service(what.project);
  const std::string address = address_of(*w.observed.get(), w.settings.project, api);
  if (address.empty())
    co_return fail("api-unreachable", "cannot ask the api for its version: it does not run");
  auto health = co_await ask(w, address, 5001, "/health");
  if (!health) co_return fail(health.error());
  if (health->status != 200)
    co_return fail("api-unhealthy", "the api answers /health with " + std::to_string(health->status));
  const auto reported = health->headers.get("X-Version");
  if (!reported.empty() && reported != what.version.text())
    co_return fail("wrong-version",
                   "the api says that it is " + std::string(reported) + ", not " + what.version.text());
  co_return Result<>{};
}

task<Result<>> entrance_answers(world& w, const release::release& what) {
  const auto port = published_port(what.project);
  if (!port) co_return Result<>{};
  for (const auto* path : {"/console/api/ping", "/signin"}) {
    auto answer = co_await ask(w, "127.0.0.1", *port, path);
    if (!answer) co_return fail(answer.error());
    if (answer->status != 200)
      co_return fail("entrance-failed", std::string("the published port answers ") + path + " with " +
                                            std::to_string(answer->status));
  }
  co_return Result<>{};
}

}  // namespace

task<Result<>> upgrade_work::start_stack(release_ptr what) {
  const auto limit = world_.settings.upgrade.start_timeout;
  const std::string nginx = release::nginx_service(what->project);
  // nginx resolves its upstreams once: everything else first. Its port is the page's until then.
  auto up = co_await bring_up(world_, what, all_but(what->project, nginx), id_, limit, true);
  if (!up) co_return up;
  if (nginx.empty()) co_return Result<>{};
  if (auto free = co_await take_page_down(world_, *what); !free) co_return free;
  co_return co_await bring_up(world_, what, {}, id_, limit, true);
}

task<Result<>> upgrade_work::answers(release_ptr what) {
  const auto end = std::chrono::steady_clock::now() + world_.settings.upgrade.verify_timeout;
  for (;;) {
    auto api = co_await api_has_version(world_, *what);
    auto entrance = api ? co_await entrance_answers(world_, *what) : api;
    if (entrance || std::chrono::steady_clock::now() >= end) co_return entrance;
    co_await pause(500ms);
  }
}

task<upgrade::step_result> upgrade_work::start() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  world_.in_force.set(*to);
  if (auto linked = link_database(world_); !linked && world_.settings.database.kind != "bundled")
    co_return failed_step(linked.error());
  if (auto up = co_await start_stack(*to); !up) co_return failed_step(up.error());
  co_return good_step(to_.text() + " is up");
}

task<upgrade::step_result> upgrade_work::verify() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  if (auto seen = co_await look(world_, project_of(*to)); !seen) co_return failed_step(seen.error());
  if (auto good = co_await answers(*to); !good) co_return failed_step(good.error());
  co_return good_step("requests through the published port answer");
}

task<upgrade::step_result> upgrade_work::commit() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  auto ids = co_await have_images(world_, project_of(*to), id_);
  if (!ids) co_return failed_step(ids.error());
  if (auto linked = link_database(world_); !linked) co_return failed_step(linked.error());
  auto schema = co_await read_schema(world_);
  if (!schema) co_return failed_step(schema.error());
  ledger::deployment now;
  now.version = to_;
  now.bundle = (*to)->folder;
  now.project = world_.settings.project;
  for (const auto& [service, definition] : (*to)->project.services)
    if (const auto found = ids->find(definition.image); found != ids->end())
      now.images[service] = found->second;
  now.revision = *schema;
  now.environment_hash = (*to)->environment.hash;
  now.committed_at = std::chrono::system_clock::now();
  committed_ = std::move(now);
  co_return good_step(to_.text() + ", schema " + schema->id);
}

task<upgrade::step_result> upgrade_work::put_back() {
  auto old = co_await source();
  if (!old) co_return failed_step(old.error());
  if (!*old) {
    // A first installation that failed: nothing served before, so nothing is left running.
    auto to = co_await target();
    if (!to) co_return failed_step(to.error());
    auto seen = co_await look(world_, project_of(*to));
    if (!seen) co_return failed_step(seen.error());
    auto down = co_await carry_out(world_, stack::plan_down(project_of(*to), *seen), id_);
    world_.in_force.set(nullptr);
    co_return down ? good_step("nothing is left running") : failed_step(down.error());
  }
  // The last word on the way back: the database must be as the old version left it.
  if (world_.database && world_.book->current().deployed) {
    auto schema = co_await read_schema(world_);
    const auto& left = world_.book->current().deployed->revision;
    if (schema && *schema != left)
      co_return failed_step(Error{"revision-mismatch",
                                  "cannot start " + from_->text() + " again: the database holds revision " +
                                      schema->id + ", it left " + left.id,
                                  {}},
                            true);
  }
  world_.in_force.set(*old);
  if (auto removed = co_await remove_strangers(*old); !removed) co_return failed_step(removed.error());
  if (auto up = co_await start_stack(*old); !up) co_return failed_step(up.error());
  if (auto good = co_await answers(*old); !good) co_return failed_step(good.error());
  // After an interruption nothing may be linked yet; the old version serves all the same.
  if (link_database(world_)) {
    (void)co_await take_lease(world_);
    (void)co_await read_schema(world_);
  }
  co_return good_step(from_->text() + " serves again");
}

}  // namespace difyd::supervisor
