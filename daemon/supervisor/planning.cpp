// `difyd plan`: gathers what the document is made from; changes nothing but that the release is fetched or
// unpacked where it is not here.
#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/host/machine.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/observe.hpp"
#include "engine_work.hpp"
#include "fetching.hpp"
#include "image_schema.hpp"
#include "load_release.hpp"
#include "plan_document.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

struct files {
  std::optional<release::text_map> published_before;
  release::text_map published_after;
  Result<release::advisory_book> book;
  std::optional<host::disk_usage> disk;
  Result<std::vector<release::overlay_change>> overlay;
};

Result<std::vector<release::overlay_change>> compare_overlay(const release_ptr& before,
                                                             const release_ptr& after) {
  if (!before || before->version == after->version || after->laid_over.empty()) return {};
  if (std::error_code ignored; !std::filesystem::is_directory(before->bundle, ignored))
    return fail("bundle-missing", "the overlay's files are not compared: what " + before->version.text() +
                                      " published is not in " + before->bundle);
  return release::changed_originals(after->laid_over, before->bundle, after->bundle);
}

// .env.example of a release: of its bundle, else of the copy that it runs from.
Result<release::text_map> published(const config::settings& settings, const version& which) {
  const auto bundle = release::find_bundle(settings.releases.source, which);
  if (bundle) return release::read_environment(bundle->env_example);
  auto copied = read_file(release::working_copy(settings, which) + "/.env.example");
  if (!copied) return fail(bundle.error());
  return release::read_environment(*copied);
}

Result<files> read_files(const config::settings& settings, const release_ptr& before,
                         const release_ptr& after, const std::string& data_root) {
  auto published_after = published(settings, after->version);
  if (!published_after) return fail(published_after.error());
  files read{{},
             std::move(*published_after),
             release::load_advisories(settings.releases.advisories),
             {},
             compare_overlay(before, after)};
  if (before)
    if (auto was = published(settings, before->version)) read.published_before = std::move(*was);
  if (!data_root.empty())
    if (const auto usage = host::measure_disk(data_root)) read.disk = *usage;
  return read;
}

task<Result<>> add_files(plan_facts& facts, world& w) {
  const config::settings* settings = &w.settings;
  std::optional<version> from;
  if (facts.before) from = facts.before->version;
  if (w.data_root.empty())
    if (auto info = co_await w.engine.info(5s)) w.data_root = info->data_root;
  std::function<Result<files>()> work = [settings, before = facts.before, after = facts.after,
                                         root = w.data_root] {
    return read_files(*settings, before, after, root);
  };
  auto read = co_await w.files.run<files>(std::move(work), 30s, "read what the releases publish");
  if (!read) co_return fail(read.error());
  facts.published_before = std::move(read->published_before);
  facts.published_after = std::move(read->published_after);
  if (read->disk) facts.disk = {read->disk->path, static_cast<std::int64_t>(read->disk->bytes_free), 0, true};
  if (read->overlay)
    facts.overlay = std::move(*read->overlay);
  else
    facts.notes.push_back(sentence(read->overlay.error()));
  if (!read->book) {
    facts.refused = sentence(read->book.error());
    co_return Result<>{};
  }
  facts.renamed_keys = read->book->renamed_keys;
  if (from)
    facts.advisories = release::concerning(release::advisories_for(*read->book, *from, facts.after->version),
                                           facts.published_after, facts.after->environment.values);
  co_return Result<>{};
}

// The release is not laid out yet, so its bind sources cannot be looked for, and what the
// upgrade removes before it starts anything else still runs.
task<Result<>> add_operations(plan_facts& facts, world& w) {
  stack::observe_options watching;
  watching.project = project_of(facts.after);
  watching.depth = stack::observing::detailed;
  auto now = co_await stack::observe(w.engine, w.settings.project, std::move(watching));
  if (!now) co_return fail(now.error());
  auto options = plan_defaults(*facts.after);
  options.remove_orphans = true;
  options.refuse_shared_data = false;
  auto made = stack::plan(project_of(facts.after), *now, options);
  if (!made) co_return fail(made.error());
  facts.operations = std::move(made->operations);
  co_return Result<>{};
}

task<Result<>> add_images(plan_facts& facts, world& w) {
  for (const auto& release : {facts.before, facts.after}) {
    if (!release) continue;
    for (const auto& image : release::images(release->project)) {
      if (facts.images.contains(image)) continue;
      auto found = co_await w.engine.images.inspect(image);
      if (!found && found.error().code != "engine-not-found") co_return fail(found.error());
      if (found) facts.images.emplace(image, std::move(*found));
    }
  }
  co_return Result<>{};
}

task<void> add_schema(control::planned_schema& schema, const plan_facts& facts, world& w) {
  const auto& project = facts.after->project;
  const std::string api = release::image_of(project, release::api_service(project));
  const revision from{*w.schema.get()};
  schema.from = from.id;
  if (!facts.images.contains(api)) {
    schema.unknown = api + " is not here yet: its migrations are known once it is pulled";
    co_return;
  }
  const auto head = co_await image_head(w, api);
  if (!head) {
    schema.unknown = head.error().message;
    co_return;
  }
  schema.to = head->id;
  if (*head == from) co_return;
  const auto scripts = co_await image_scripts(w, api);
  auto migrations = scripts ? pending(*scripts, from, *head) : fail(scripts.error());
  if (migrations)
    schema.migrations = std::move(*migrations);
  else
    schema.unknown = migrations.error().message;
}

// What the ledger says is deployed: in a hold another release may be in force.
task<Result<release_ptr>> deployed_release(world& w) {
  const auto in_force = *w.in_force.get();
  if (!w.book || !w.book->current().deployed) co_return in_force;
  const version deployed = w.book->current().deployed->version;
  if (in_force && in_force->version == deployed) co_return in_force;
  co_return co_await load_release(w, deployed, deployed, laying_out::no, origin::in_force);
}

}  // namespace

task<Result<control::plan>> plan_of(world& w, std::string text) {
  plan_facts facts;
  auto before = co_await deployed_release(w);
  if (!before) co_return fail(before.error());
  facts.before = *before;
  std::optional<version> from;
  if (facts.before) from = facts.before->version;
  auto wanted = parse_version(text.empty() && from ? from->text() : text);
  if (!wanted) co_return fail(wanted.error());
  if (from && *wanted < *from)
    co_return fail("version-older", "cannot plan " + wanted->text() + ": " + from->text() +
                                        " is deployed and versions only go forward");
  if (from != *wanted)
    if (auto here = co_await have_bundle(w, *wanted, {}); !here) co_return fail(here.error());
  auto after = co_await load_release(w, *wanted, from, laying_out::no,
                                     from == *wanted ? origin::taking_in : origin::bundle);
  if (!after) co_return fail(after.error());
  facts.after = *after;
  facts.backup = w.settings.upgrade.backup;
  if (w.book) facts.history = w.book->current().history;
  for (const auto& warning : facts.after->warnings) facts.notes.push_back(warning);
  if (auto read = co_await add_files(facts, w); !read) co_return fail(read.error());
  if (auto images = co_await add_images(facts, w); !images) co_return fail(images.error());
  if (auto operations = co_await add_operations(facts, w); !operations) co_return fail(operations.error());
  co_await add_schema(facts.schema, facts, w);
  co_return document_of(facts);
}

}  // namespace difyd::supervisor
