// Steps start, verify, commit and put_back: Dify comes up again, the new version or the old one.
#include "difyd/release/roles.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
#include "laying_out.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "readiness.hpp"
#include "silence.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {

task<upgrade::step_result> upgrade_work::start() {
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  world_.in_force.set(*to);
  if (auto reached = co_await reach_database(world_, *to, id_); !reached)
    co_return failed_step(reached.error());
  if (auto gone = co_await migrators_gone(); !gone) co_return failed_step(gone.error());
  if (auto known = co_await schema_is_head(**to); !known) co_return failed_step(known.error());
  if (auto stopped = co_await stop_others(*to); !stopped) co_return failed_step(stopped.error());
  if (from_ && ran_as_root(*from_))
    if (auto owned = co_await own_storage(world_); !owned) co_return failed_step(owned.error());
  if (auto up = co_await bring_all_up(world_, *to, id_, true); !up) co_return failed_step(up.error());
  co_return good_step(to_.text() + " is up");
}

// Asked for once, before Dify is down: it takes a container.
task<Result<>> upgrade_work::know_head(const release::release& to) {
  if (head_) co_return Result<>{};
  auto head = co_await image_head(world_, release::image_of(to.project, release::api_service(to.project)));
  if (!head) co_return fail(head.error());
  head_ = *head;
  co_return Result<>{};
}

// An image that does not know the database's revision is never started on it.
task<Result<>> upgrade_work::schema_is_head(const release::release& to) {
  if (auto head = co_await know_head(to); !head) co_return head;
  auto schema = co_await read_schema(world_);
  if (!schema) co_return fail(schema.error());
  if (*schema == *head_) co_return Result<>{};
  co_return fail("revision-mismatch",
                 "cannot start " + to_.text() + ": the database holds revision " +
                     (schema->empty() ? "none" : schema->id) + ", the image's head is " + head_->id,
                 "Somebody changed the database after the migration; see: difyd migrations");
}

// An earlier process brought it up: this one has not seen that it runs, or is on another machine.
task<Result<>> upgrade_work::still_up() {
  const auto now = *world_.in_force.get();
  if (now && now == target_) co_return Result<>{};
  auto up = co_await start();
  if (!up.ok) co_return fail(up.error);
  co_return Result<>{};
}

task<upgrade::step_result> upgrade_work::verify() {
  if (auto up = co_await still_up(); !up) co_return failed_step(up.error());
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  if (auto seen = co_await look(world_, project_of(*to)); !seen) co_return failed_step(seen.error());
  if (auto good = co_await await_answers(world_, *to); !good) co_return failed_step(good.error());
  co_return good_step("requests through the published port answer");
}

task<upgrade::step_result> upgrade_work::commit() {
  if (auto up = co_await still_up(); !up) co_return failed_step(up.error());
  auto to = co_await target();
  if (!to) co_return failed_step(to.error());
  auto ids = co_await have_images(world_, project_of(*to), id_);
  if (!ids) co_return failed_step(ids.error());
  if (auto linked = link_database(world_); !linked) co_return failed_step(linked.error());
  if (auto known = co_await schema_is_head(**to); !known) co_return failed_step(known.error());
  const auto schema = *head_;
  if (auto kept = co_await keep_release(world_, *to, schema); !kept) co_return failed_step(kept.error());
  committed_ = deployment_of(**to, *ids, schema);
  co_return good_step(to_.text() + ", schema " + schema.id);
}

task<upgrade::step_result> upgrade_work::as_left(release_ptr old) {
  const auto& book = world_.book->current();
  // Before a migrator was begun nothing of this upgrade has touched the schema; the database may be away.
  const bool touched = book.in_flight && book.in_flight->baseline;
  if (touched) {
    if (auto reached = co_await reach_database(world_, old, id_); !reached)
      co_return failed_step(reached.error());
    if (auto gone = co_await migrators_gone(); !gone) co_return failed_step(gone.error());
  }
  if (!world_.database || !book.deployed) co_return good_step({});
  const auto left = book.deployed->revision;
  auto schema = co_await read_schema(world_);
  if (!schema) co_return touched ? failed_step(schema.error()) : good_step({});
  const auto cannot = "cannot start " + from_->text() + " again: ";
  if (*schema != left)
    co_return failed_step(Error{"revision-mismatch",
                                cannot + "the database holds revision " + schema->id + ", it left " + left.id,
                                {}},
                          true);
  auto moved = co_await has_moved();
  if (!moved) co_return failed_step(moved.error());
  if (*moved)
    co_return failed_step(
        Error{"catalog-moved", cannot + "the tables are not as it left them, though the revision is", {}},
        true);
  co_return good_step({});
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
  co_await end_backup();
  if (auto stopped = co_await stop_others(*old); !stopped) co_return failed_step(stopped.error());
  if (auto removed = co_await remove_strangers(world_, *old, id_); !removed)
    co_return failed_step(removed.error());
  world_.in_force.set(*old);  // says where the stack's own database is
  if (auto same = co_await as_left(*old); !same.ok) {
    if (same.irreversible) world_.in_force.set(target_);
    co_return same;
  }
  if (resumed_)
    if (auto images = co_await images_in_force(world_, *from_); !images)
      co_return failed_step(images.error());
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
