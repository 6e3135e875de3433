#include "plan_document.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/release/hop.hpp"
#include "difyd/release/roles.hpp"
#include "image_schema.hpp"

namespace difyd::supervisor {
namespace {

using control::plan;
using release::data_change;
using release::data_change_kind;

const compose::project& before_of(const plan_facts& facts) {
  return facts.before ? facts.before->project : facts.after->project;
}

void add_advisories(plan& to, const plan_facts& facts) {
  for (const auto& each : facts.advisories)
    to.advisories.push_back({each.id, std::string(release::to_text(each.kind)),
                             release::must_be_acknowledged(each), each.text, each.service, each.commands,
                             each.key, each.value, each.source});
}

void add_environment(plan& to, const plan_facts& facts) {
  to.environment_hash = facts.after->environment.hash;
  to.carried = facts.after->environment.carried;
  if (!facts.before) return;
  // Without the old one's .env.example, what both publish is what the new one does.
  const release::environment_of_release before{facts.published_before.value_or(facts.published_after),
                                               facts.before->environment.values};
  const release::environment_of_release after{facts.published_after, facts.after->environment.values};
  for (const auto& each : release::env_diff(before, after, facts.renamed_keys))
    to.environment.push_back({each.key, std::string(release::to_text(each.kind)), each.new_key,
                              each.old_default, each.new_default, each.in_force, each.then_in_force,
                              each.secret, each.matters});
}

// What the predecessor of an image takes: the same repository's, of the release that runs.
std::int64_t estimate_of(const plan_facts& facts, const std::string& image) {
  if (!facts.before) return 0;
  for (const auto& former : release::images(facts.before->project))
    if (release::repository(former) == release::repository(image))
      if (const auto found = facts.images.find(former); found != facts.images.end())
        return found->second.size;
  return 0;
}

void add_images(plan& to, const plan_facts& facts) {
  const auto so_far = release::images(before_of(facts));
  to.disk = facts.disk;
  for (const auto& image : release::images(facts.after->project)) {
    control::planned_image one;
    one.image = image;
    one.changed = !facts.before || std::ranges::find(so_far, image) == so_far.end();
    if (const auto found = facts.images.find(image); found != facts.images.end()) {
      one.present = true;
      one.id = found->second.id;
      if (!found->second.repo_digests.empty()) one.digest = found->second.repo_digests.front();
      one.bytes = found->second.size;
    } else {
      one.estimate = estimate_of(facts, image);
      to.disk.needed_bytes += one.estimate;
      to.disk.needed_known = to.disk.needed_known && one.estimate > 0;
    }
    to.images.push_back(std::move(one));
  }
}

std::string what_is_done(const data_change& change) {
  const std::string anew = change.another_image ? " with " + change.image : "";
  switch (change.kind) {
    case data_change_kind::added:
      return "started in step stop, before the backup";
    case data_change_kind::dropped:
      return "stopped and removed in step stop; its data stays where it is";
    case data_change_kind::renamed:
      return change.was + " is stopped, removed and proven gone in step stop, then " + change.service +
             " starts" + anew + " on the same data";
    case data_change_kind::image:
    case data_change_kind::settings:
      break;
  }
  return "stopped and made anew" + anew + " in step stop, on the same data";
}

void add_services(plan& to, const plan_facts& facts) {
  if (!facts.before) return;
  auto changes = release::changes_of_services(facts.before->project, facts.after->project);
  to.services_added = std::move(changes.added);
  to.services_removed = std::move(changes.removed);
  for (const auto& each : changes.data) {
    const bool settings = each.kind == data_change_kind::settings;
    to.data_services.push_back({each.service, std::string(release::to_text(each.kind)), each.was,
                                settings ? join(each.settings, ", ") : each.image, each.another_image,
                                what_is_done(each)});
  }
}

// The newest good upgrade that was the same hop, else the newest good one.
const ledger::upgrade_record* model_of(const plan_facts& facts) {
  const ledger::upgrade_record* found = nullptr;
  for (const auto& each : facts.history) {
    if (each.result != ledger::ending::done || !each.from) continue;
    const bool same = facts.before && *each.from == facts.before->version && each.to == facts.after->version;
    const bool found_same =
        found && facts.before && *found->from == facts.before->version && found->to == facts.after->version;
    if (same || !found_same) found = &each;
  }
  return found;
}

void add_downtime(plan& to, const plan_facts& facts) {
  const auto* past = model_of(facts);
  if (!past) return;
  std::optional<wall_time> down;
  for (const auto& step : past->steps) {
    if (step.step == "stop" && !down) down = step.began;
    if (!down) continue;
    to.downtime.seconds = std::chrono::duration<double>(step.ended - *down).count();
    to.downtime.steps.push_back({step.step, std::chrono::duration<double>(step.ended - step.began).count()});
  }
  if (!down) return;
  to.downtime.upgrade = past->id;
  to.downtime.from = past->from->text();
  to.downtime.to = past->to.text();
  to.downtime.started = to_rfc3339(past->started_at);
}

std::string backup_text(const std::string& kind) {
  if (kind == "pg_dump")
    return "pg_dump of Dify's databases, with the keys of its storage and its environment, in step backup";
  if (kind == "command") return "upgrade.backup_command, in step backup";
  if (kind == "cloudsql") return "Cloud SQL's own backups, and the keys of the storage, in step backup";
  return "NONE is configured (upgrade.backup): nothing leads back past the point of no return";
}

std::string reversible_text(const plan& of) {
  for (const auto& each : of.data_services)
    if (each.irreversible)
      return "until step stop starts " + each.service +
             " with its new image; from then on forward only, or back by restoring a backup";
  if (of.schema.unknown.empty() && of.schema.migrations.empty())
    return "in every step: nothing of this hop changes the main database's schema (what a new plugin daemon "
           "does to its own when it starts is not undone)";
  return "until step migrate has changed the database; from then on forward only, or back by restoring a "
         "backup";
}

}  // namespace

Result<plan> document_of(const plan_facts& facts) {
  if (auto good = release::refuse_shared_data(facts.after->project); !good) return fail(good.error());
  plan made;
  if (facts.before) made.from = facts.before->version.text();
  made.to = facts.after->version.text();
  made.release = facts.after->bundle_hash;
  made.schema = facts.schema;
  made.refused = facts.refused;
  made.notes = facts.notes;
  made.overlay_hash = release::hash_of(facts.after->laid_over);
  for (const auto& each : facts.overlay) made.overlay.push_back({each.path, each.change});
  if (!made.overlay.empty()) made.overlay_original = facts.after->bundle;
  for (const auto& each : facts.operations)
    made.operations.push_back({stack::to_text(each.kind), each.target, each.service, each.cause});
  add_advisories(made, facts);
  add_environment(made, facts);
  add_images(made, facts);
  add_services(made, facts);
  // What follows is of upgrades: converging migrates nothing and takes no backup.
  if (made.from != made.to) {
    add_downtime(made, facts);
    made.backup = facts.before ? backup_text(facts.backup) : "nothing to back up yet";
    made.reversible = reversible_text(made);
  }
  made.hash = control::plan_hash(made);
  return made;
}

}  // namespace difyd::supervisor
