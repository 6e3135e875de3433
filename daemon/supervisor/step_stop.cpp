// Step stop: from here Dify is down.
#include <algorithm>

#include "difyd/release/hop.hpp"
#include "difyd/release/roles.hpp"
#include "leasing.hpp"
#include "links.hpp"
#include "restore_rules.hpp"
#include "silence.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Reference of the image of each infrastructure service of `to` that differs from what the same
// service, or one of the same repository, has run so far.
bool image_changes(const compose::project& from, const compose::project& to, const std::string& service) {
  const std::string now = release::image_of(to, service);
  std::string before = release::image_of(from, service);
  if (before.empty())
    for (const auto& other : release::services_of_image(from, release::repository(now)))
      before = release::image_of(from, other);
  return !before.empty() && before != now;
}

}  // namespace

task<Result<>> upgrade_work::stop_others(release_ptr what) {
  auto seen = co_await look(world_, project_of(what));
  if (!seen) co_return fail(seen.error());
  std::vector<std::string> others;
  for (const auto& container : seen->containers)
    if (!container.one_off && container.running() &&
        container.image != release::image_of(what->project, container.service) &&
        !contains(others, container.service))
      others.push_back(container.service);
  co_return co_await stop_services(world_, project_of(what), others, std::nullopt, id_);
}

// Whether a data service starts with a new image: durable before that touches the data, like every begin
// entry, so that no crash hides it.
task<Result<bool>> upgrade_work::mark_new_data_service(release_ptr to) {
  const auto& book = world_.book->current();
  const bool changes =
      source_ && std::ranges::any_of(infrastructure(to->project), [&](const std::string& service) {
        return image_changes(source_->project, to->project, service);
      });
  if (!changes || !book.in_flight) co_return changes;
  if (std::ranges::any_of(book.in_flight->entries, &ledger::journal_entry::irreversible)) co_return true;
  ledger::journal_entry line;
  line.step = upgrade::to_text(upgrade::step::stop);
  line.at = std::chrono::system_clock::now();
  line.detail = "a data service is about to start with a new image";
  line.irreversible = true;
  if (auto kept = co_await world_.book->append(std::move(line)); !kept) co_return fail(kept.error());
  co_return true;
}

// Those that the migration needs, and those that the hop changes. What only its working copy's folder tells
// from the old one comes up beside the migrator.
std::vector<std::string> upgrade_work::replaced_in_stop(const release::release& to) const {
  auto found = infrastructure(to.project);
  if (!source_ || world_.settings.database.kind == "bundled") return found;
  const auto changed = release::changes_of_services(source_->project, to.project).data;
  std::erase_if(found, [&](const auto& each) {
    return std::ranges::find(changed, each, &release::data_change::service) == changed.end();
  });
  return found;
}

task<Result<>> upgrade_work::replace_data_services(release_ptr to) {
  if (auto removed = co_await remove_strangers(world_, to, id_); !removed) co_return removed;
  const auto replaced = replaced_in_stop(*to);
  if (replaced.empty()) co_return Result<>{};
  auto up = co_await bring_up(world_, to, replaced, id_, world_.settings.upgrade.start_timeout, false);
  if (auto seen = co_await look(world_, project_of(to)); !seen && up) co_return fail(seen.error());
  co_return up;
}

task<Result<>> upgrade_work::stop_old(release_ptr old) {
  if (auto stopped = co_await stop_dify(world_, old, id_); !stopped) co_return stopped;
  // After a restart of the daemon a bundled database may be down: it is asked once it is up again.
  if (!world_.database) co_return Result<>{};
  co_return co_await prove_silence(world_);
}

task<Result<>> upgrade_work::reach_silent_database() {
  if (auto linked = link_database(world_); !linked) co_return linked;
  if (auto lease = co_await need_lease(world_); !lease) co_return lease;
  co_return co_await prove_silence(world_);
}

task<upgrade::step_result> upgrade_work::stop() {
  auto next = co_await target();
  if (!next) co_return failed_step(next.error());
  auto old = co_await source();
  if (!old) co_return failed_step(old.error());
  if (*old)
    if (auto stopped = co_await stop_old(*old); !stopped) co_return failed_step(stopped.error());
  // The last moment: what comes next may have no way back.
  if (abort_requested() && !past_return(world_.book->current()))
    co_return failed_step(Error{"aborted", "the upgrade was aborted in step stop", {}});
  world_.in_force.set(*next);
  const auto moved = co_await mark_new_data_service(*next);
  if (!moved) co_return failed_step(moved.error());
  auto done = co_await replace_data_services(*next);
  if (done) done = co_await reach_silent_database();
  if (!done) co_return failed_step(done.error(), *moved);
  co_return good_step(
      *old ? "nothing of " + from_->text() + " runs, the databases are silent" : std::string(), *moved);
}

}  // namespace difyd::supervisor
