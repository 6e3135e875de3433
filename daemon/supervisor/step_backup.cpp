// Step backup: writes have stopped, nothing has moved. A backup that fails puts the old version back.
#include "backing_up.hpp"
#include "cloudsql.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {

// Before anything stops: what the backup needs is there.
task<Result<>> upgrade_work::prepare_backup() {
  const auto& kind = world_.settings.upgrade.backup;
  if ((kind != "pg_dump" && kind != "cloudsql") || !from_) co_return Result<>{};
  auto old = co_await source();
  if (!old) co_return fail(old.error());
  auto image = co_await client_image(world_, *old);
  if (!image) co_return fail(image.error());
  if (auto there = co_await have_client_image(world_, *image, id_); !there) co_return there;
  co_return co_await have_cloud_backups();
}

// While the old version serves: it takes minutes. What is written until the stop is in the write-ahead log
// only, whose point in time step backup keeps. Taken once: by another process it is found again.
task<Result<>> upgrade_work::have_cloud_backups() {
  if (world_.settings.upgrade.backup != "cloudsql" || !cloud_runs_.empty()) co_return Result<>{};
  auto runs = co_await take_cloud_backups(world_, id_, "before " + to_.text());
  if (!runs) co_return fail(runs.error());
  cloud_runs_ = std::move(*runs);
  co_return Result<>{};
}

task<upgrade::step_result> upgrade_work::backup() {
  const auto& kind = world_.settings.upgrade.backup;
  const std::string stopped = "writes stopped at " + to_rfc3339(std::chrono::system_clock::now());
  if (!from_) co_return good_step("nothing to back up yet");
  if (kind == "none") co_return good_step("none is configured: NO backup was taken; " + stopped);
  auto old = co_await source();
  if (!old) co_return failed_step(old.error());
  if (auto there = co_await have_cloud_backups(); !there) co_return failed_step(there.error());
  auto taken =
      co_await take_backup(world_, *old, {id_, *from_, to_, kind, irreversible_before(), cloud_runs_});
  if (!taken) {
    auto error = taken.error();
    error.remedy = "Nothing was migrated. " + error.remedy;
    co_return failed_step(error);
  }
  co_return good_step(backup_folder(world_, taken->id) + ": " + content_text(*taken) + "; " + stopped);
}

// An abort or a kill leaves the client running, and its folder.
task<void> upgrade_work::end_backup() {
  (void)co_await world_.engine.containers.remove(client_container(world_, "backup", id_), true, true);
  co_await remove_unfinished(world_, id_);
}

}  // namespace difyd::supervisor
