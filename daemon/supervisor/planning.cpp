// `difyd plan`: the same pure functions that an upgrade uses, and nothing that changes anything.
#include "difyd/release/roles.hpp"
#include "difyd/stack/observe.hpp"
#include "engine_work.hpp"
#include "links.hpp"
#include "load_release.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

void add_environment(control::plan& plan, const release::text_map& before, const release::text_map& after) {
  for (const auto& change : release::difference(before, after)) {
    const char* kind = change.kind == release::change_kind::added     ? "added"
                       : change.kind == release::change_kind::removed ? "removed"
                                                                      : "changed";
    plan.environment.push_back({change.key, kind, change.before, change.after});
  }
}

// Where they cannot be read, the upgrade itself is refused.
task<void> add_advisories(control::plan& plan, world& w, const version& from, const version& to) {
  const auto applying = co_await advisories_of(w, from, to);
  if (!applying) plan.notes.push_back("the upgrade would be refused: " + sentence(applying.error()));
  if (!applying) co_return;
  for (const auto& each : *applying)
    plan.advisories.push_back({each.id, std::string(release::to_text(each.kind)),
                               release::must_be_acknowledged(each), each.text, each.service, each.commands,
                               each.key, each.value, each.source});
}

// The release is not laid out yet, so its bind sources cannot be looked for, and what the
// upgrade removes before it starts anything else still runs.
task<Result<>> add_operations(control::plan& plan, world& w, const release_ptr& to) {
  stack::observe_options watching;
  watching.project = project_of(to);
  watching.details = true;
  auto now = co_await stack::observe(w.engine, w.settings.project, std::move(watching));
  if (!now) co_return fail(now.error());
  auto options = plan_defaults(*to);
  options.remove_orphans = true;
  options.refuse_shared_data = false;
  auto made = stack::plan(project_of(to), *now, options);
  if (!made) co_return fail(made.error());
  for (const auto& each : made->operations)
    plan.operations.push_back(std::string(stack::to_text(each.kind)) + " " + each.target + ": " + each.cause);
  co_return Result<>{};
}

task<Result<>> add_images(control::plan& plan, world& w, const compose::project& project) {
  for (const auto& image : release::images(project)) {
    const auto found = co_await w.engine.images.inspect(image);
    if (!found && found.error().code != "engine-not-found") co_return fail(found.error());
    plan.images.push_back({image, found.has_value()});
  }
  co_return Result<>{};
}

task<void> add_revisions(control::plan& plan, world& w, const release::release& to) {
  plan.revision_from = *w.schema.get();
  const std::string api = release::image_of(to.project, release::api_service(to.project));
  const bool here =
      w.engine.version().api.empty() ? false : (co_await w.engine.images.inspect(api)).has_value();
  if (!here) {
    plan.notes.push_back("the schema revision of " + api + " is known once it is pulled");
    co_return;
  }
  if (auto head = co_await image_head(w, api))
    plan.revision_to = head->id;
  else
    plan.notes.push_back(head.error().message);
}

}  // namespace

task<Result<control::plan>> plan_of(world& w, std::string text) {
  const auto serving = *w.in_force.get();
  control::plan plan;
  if (serving) plan.from = serving->version.text();
  if (text.empty()) text = plan.from;
  auto wanted = parse_version(text);
  if (!wanted) co_return fail(wanted.error());
  plan.to = wanted->text();
  if (serving && *wanted < serving->version)
    co_return fail("version-older",
                   "cannot plan " + plan.to + ": " + plan.from + " is deployed and versions only go forward");
  std::optional<version> from;
  if (serving) from = serving->version;
  auto to = co_await load_release(w, *wanted, from, laying_out::no);
  if (!to) co_return fail(to.error());
  if (auto images = co_await add_images(plan, w, (*to)->project); !images) co_return fail(images.error());
  if (serving) co_await add_advisories(plan, w, serving->version, *wanted);
  if (serving) add_environment(plan, serving->environment.values, (*to)->environment.values);
  if (auto added = co_await add_operations(plan, w, *to); !added) co_return fail(added.error());
  co_await add_revisions(plan, w, **to);
  for (const auto& warning : (*to)->warnings) plan.notes.push_back("note: " + warning);
  co_return plan;
}

}  // namespace difyd::supervisor
