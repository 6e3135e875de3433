// Steps admit, prepare and drain: the old version serves, nothing is changed.
#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/hop.hpp"
#include "difyd/release/roles.hpp"
#include "fetching.hpp"
#include "hooks.hpp"
#include "image_schema.hpp"
#include "keeping.hpp"
#include "laying_out.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "owed_commands.hpp"
#include "probing.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

// Findings that an upgrade must not begin with; a broken service does not block its own fix.
bool blocks(const finding& found) {
  if (found.level < severity::error) return false;
  for (const auto* subject : {"storage", "database", "engine", "disk"})
    if (found.subject.rfind(subject, 0) == 0) return true;
  return false;
}

}  // namespace

task<Result<>> upgrade_work::check_admission() {
  if (from_ && to_ == *from_)
    co_return fail("version-deployed", "cannot upgrade to " + to_.text() + ": it is the deployed version");
  if (from_ && to_ < *from_)
    co_return fail("version-older",
                   "cannot upgrade to " + to_.text() + ": " + from_->text() +
                       " is deployed and versions only go forward",
                   "Going back means restoring a backup that was taken before " + from_->text());
  if (auto here = co_await have_bundle(world_, to_, id_); !here) co_return here;
  const std::string source = world_.settings.releases.source;
  const version wanted = to_;
  auto bundle = co_await world_.files.run<release::bundle>(
      [source, wanted] { return release::find_bundle(source, wanted); }, std::chrono::seconds(30),
      "read release " + to_.text());
  if (!bundle) co_return fail(bundle.error());
  if (!from_) co_return Result<>{};
  const auto applying = co_await advisories_of(world_, *from_, to_);
  if (!applying) co_return fail(applying.error());
  for (const auto& each : *applying)
    if (terms_.acknowledged.contains(each.id)) heeded_.push_back(each);
  if (heeded_.size() < terms_.acknowledged.size()) {
    auto others = co_await not_of_the_hop(world_, *applying, terms_.acknowledged, to_);
    if (!others) co_return fail(others.error());
    beside_ = std::move(*others);
  }
  co_return release::refuse_unless_acknowledged(*applying, terms_.acknowledged, to_);
}

task<Result<>> upgrade_work::check_plan() {
  if (terms_.plan.empty()) co_return Result<>{};
  const auto now = co_await plan_of(world_, to_.text());
  if (!now) co_return fail(now.error());
  co_return control::refuse_another_plan(terms_.plan, *now);
}

task<upgrade::step_result> upgrade_work::admit() {
  if (auto admitted = co_await check_admission(); !admitted) co_return failed_step(admitted.error());
  if (auto same = co_await check_plan(); !same) co_return failed_step(same.error());
  if (!from_) co_return good_step("first installation of " + to_.text());
  std::vector<std::string> heeded;
  for (const auto& each : heeded_) heeded.push_back(each.id);
  co_return good_step(from_->text() + " -> " + to_.text() +
                      (terms_.plan.empty() ? "" : ", by plan " + terms_.plan) +
                      (heeded.empty() ? "" : ", acknowledged: " + join(heeded, ", ")) +
                      (beside_.empty() ? "" : ", of no concern here: " + join(beside_, ", ")));
}

task<Result<std::string>> upgrade_work::prepare_images() {
  auto preview = co_await load_release(world_, to_, from_, laying_out::no, origin::bundle);
  if (!preview) co_return fail(preview.error());
  if (auto good = release::refuse_shared_data((*preview)->project); !good) co_return fail(good.error());
  auto images = co_await have_images(world_, project_of(*preview), id_);
  if (!images) co_return fail(images.error());
  const std::string api = release::image_of((*preview)->project, release::api_service((*preview)->project));
  auto head = co_await image_head(world_, api);
  if (!head) co_return fail(head.error());
  head_ = *head;
  if (head->id == *world_.schema.get()) co_return count_text({});
  // What cannot be read here is no reason not to upgrade: the migration's own result decides.
  const auto scripts = co_await image_scripts(world_, api);
  const auto migrations =
      scripts ? pending(*scripts, revision{*world_.schema.get()}, *head) : fail(scripts.error());
  // But one that does not know where the database stands cannot migrate it: said before Dify is down for it.
  if (!migrations && migrations.error().code == "revision-unknown")
    co_return fail("revision-unknown", "cannot upgrade to " + to_.text() + ": " + migrations.error().message,
                   "A later release knows it: difyd plan VERSION");
  co_return migrations ? count_text(*migrations) : migrations.error().message;
}

task<Result<>> upgrade_work::run_before() {
  for (const auto& each : heeded_) {
    if (each.kind != release::advisory_kind::before) continue;
    auto old = co_await source();
    if (!old) co_return fail(old.error());
    for (const auto& command : each.commands)
      if (auto done = co_await run_before_upgrade(world_, *old, each, command, id_); !done) co_return done;
  }
  co_return Result<>{};
}

task<Result<>> upgrade_work::before_stop() {
  if (!from_) co_return Result<>{};
  control::past_upgrade upgrade;
  upgrade.id = id_;
  upgrade.from = from_->text();
  upgrade.to = to_.text();
  if (const auto operation = *world_.operation.get()) {
    upgrade.started = operation->started;
    upgrade.steps = operation->steps;
  }
  upgrade.result = "running";
  co_return co_await run_hook(world_, "before-stop", std::move(upgrade));
}

task<upgrade::step_result> upgrade_work::prepare() {
  if (auto proven = co_await prove_storage(world_); !proven) co_return failed_step(proven.error());
  // What was found a while ago may be mended, or worse.
  const auto findings = co_await probe_everything(world_);
  for (const auto& found : findings)
    if (blocks(found))
      co_return failed_step(
          Error{found.code, "cannot upgrade: " + found.subject + ": " + found.detail, found.remedy});
  // Not at a start: what runs as root meanwhile is asked again when it has ended (step_start).
  auto owned = co_await own_storage(world_);
  if (!owned) co_return failed_step(owned.error());
  if (!owned->empty()) log::info("storage", *owned);
  auto images = co_await prepare_images();
  if (!images) co_return failed_step(images.error());
  if (auto image = co_await prepare_backup(); !image) co_return failed_step(image.error());
  if (auto commands = co_await run_before(); !commands) co_return failed_step(commands.error());
  if (auto hook = co_await before_stop(); !hook) co_return failed_step(hook.error());
  co_return good_step("images are here; " + *images);
}

// While the old version serves: from here on a new machine can go on without the release's source.
task<Result<>> upgrade_work::keep_target() {
  auto to = co_await target();
  if (!to) co_return fail(to.error());
  if (auto known = co_await know_head(**to); !known) co_return known;
  co_return co_await keep_release(world_, *to, *head_);
}

task<upgrade::step_result> upgrade_work::drain() {
  stand(world_, phase::upgrading, "upgrading to " + to_.text());
  if (auto kept = co_await keep_target(); !kept) co_return failed_step(kept.error());
  if (!from_) co_return good_step({});
  auto old = co_await source();
  if (!old) co_return failed_step(old.error());
  auto seen = co_await look(world_, project_of(*old));
  if (!seen) co_return failed_step(seen.error());
  // After a boot nothing serves that could be drained.
  const auto serving = stack::containers_of(*seen, release::api_service((*old)->project));
  if (serving.empty() || !serving.front()->running()) co_return good_step("nothing serves");
  // The load balancer sees "maintenance" and takes the VM out before anything stops.
  co_await pause(world_.settings.upgrade.drain_grace);
  const auto grace =
      std::chrono::duration_cast<std::chrono::seconds>(world_.settings.upgrade.worker_stop_limit);
  auto stopped = co_await stop_services(world_, project_of(*old), release::worker_services((*old)->project),
                                        static_cast<int>(grace.count()), id_);
  if (!stopped) co_return failed_step(stopped.error());
  co_return good_step("workers are idle and stopped");
}

}  // namespace difyd::supervisor
