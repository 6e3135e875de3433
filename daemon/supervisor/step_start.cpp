// Steps start, verify, commit and put_back: Dify comes up again, the new version or the old one.
#include "difyd/release/roles.hpp"
#include "readiness.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {

task<upgrade::step_result> upgrade_work::start() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  world_.in_force.set(*to);
  if (auto linked = link_database(world_); !linked && world_.settings.database.kind != "bundled")
    co_return failed_step(linked.error());
  if (auto up = co_await bring_all_up(world_, *to, id_, true); !up) co_return failed_step(up.error());
  co_return good_step(to_.text() + " is up");
}

task<upgrade::step_result> upgrade_work::verify() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  if (auto seen = co_await look(world_, project_of(*to)); !seen) co_return failed_step(seen.error());
  if (auto good = co_await await_answers(world_, *to); !good) co_return failed_step(good.error());
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
    const auto moved = co_await has_moved();
    if (schema && !moved) co_return failed_step(moved.error());
    if (schema && *moved)
      co_return failed_step(Error{"catalog-moved",
                                  "cannot start " + from_->text() +
                                      " again: the tables are not as it left them, though the revision is",
                                  {}},
                            true);
  }
  world_.in_force.set(*old);
  if (auto removed = co_await remove_strangers(*old); !removed) co_return failed_step(removed.error());
  if (auto up = co_await bring_all_up(world_, *old, id_, true); !up) co_return failed_step(up.error());
  if (auto good = co_await await_answers(world_, *old); !good) co_return failed_step(good.error());
  // After an interruption nothing may be linked yet; the old version serves all the same.
  if (link_database(world_)) {
    (void)co_await take_lease(world_);
    (void)co_await read_schema(world_);
  }
  co_return good_step(from_->text() + " serves again");
}

}  // namespace difyd::supervisor
