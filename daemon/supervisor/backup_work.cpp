#include "backup_work.hpp"

#include <algorithm>

#include "backing_up.hpp"
#include "cloudsql.hpp"
#include "difyd/base/text.hpp"
#include "links.hpp"
#include "load_release.hpp"

namespace difyd::supervisor {
namespace {

// For the networks that the client joins.
task<Result<release_ptr>> release_now(world& w) {
  co_await know_release(w);
  const auto release = *w.in_force.get();
  if (!release)
    co_return fail("nothing-deployed", "cannot do that: no release is deployed", "Start it: difyd up");
  co_return release;
}

task<Result<backup_manifest>> take(world& w, std::string id) {
  auto on = co_await release_now(w);
  if (!on) co_return fail(on.error());
  if (auto linked = link_database(w); !linked) co_return fail(linked.error());
  const auto& book = w.book->current();
  backup_wish wish;
  wish.operation = id;
  wish.of = book.deployed->version;
  const auto& configured = w.settings.upgrade.backup;
  wish.kind = configured == "none" ? "pg_dump" : configured;
  wish.half_migrated =
      book.in_flight && std::ranges::any_of(book.in_flight->entries, &ledger::journal_entry::irreversible);
  if (wish.kind == "cloudsql") {
    auto runs = co_await take_cloud_backups(w, id, "by hand");
    if (!runs) co_return fail(runs.error());
    wish.runs = std::move(*runs);
  }
  if (wish.kind != "command") {
    auto image = co_await client_image(w, *on);
    if (!image) co_return fail(image.error());
    if (auto there = co_await have_client_image(w, *image, id); !there) co_return fail(there.error());
  }
  co_return co_await take_backup(w, *on, std::move(wish));
}

}  // namespace

task<ended> back_up(world& w, std::string id) {
  auto taken = co_await take(w, id);
  if (!taken) co_return failed_with(taken.error());
  co_await prune_backups(w, id);
  co_return done_as(
      "backup " + taken->id + ": " + content_text(*taken) +
      (taken->writes_stopped
           ? ""
           : "\nDify served meanwhile: each database is as it was at one moment, but not all of "
             "them, nor the keys, at the same") +
      (taken->half_migrated ? "\na migration had left the database half way: no command restores this one"
                            : ""));
}

task<ended> verify_by_operator(world& w, std::string id, std::string backup) {
  if (auto read = co_await read_backups(w); !read) co_return failed_with(read.error());
  auto manifest = find_backup(*w.backups.get(), backup);
  if (!manifest) co_return failed_with(manifest.error());
  auto on = co_await release_now(w);
  if (!on) co_return failed_with(on.error());
  if (auto good = co_await verify_backup(w, *on, *manifest, id); !good) co_return failed_with(good.error());
  co_return done_as("backup " + manifest->id + " of " + time_text(manifest->time) +
                    " is good: " + content_text(*manifest));
}

}  // namespace difyd::supervisor
