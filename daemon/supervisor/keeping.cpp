#include "keeping.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/machine.hpp"
#include "difyd/host/registry_credentials.hpp"
#include "difyd/release/roles.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

const std::string releases = ".difyd/releases";

std::string folder_of(const version& which) { return releases + "/" + which.text(); }
std::string manifest_of(const version& which) { return folder_of(which) + "/manifest.json"; }

task<Result<std::vector<tree_file>>> read_files(world& w, release::kept manifest) {
  auto files = co_await w.storage.read_tree(folder_of(manifest.version) + "/" + manifest.folder);
  if (!files) co_return fail(files.error());
  if (auto good = release::check_kept(manifest, *files); !good) co_return fail(good.error());
  co_return files;
}

// Of what has the name without its tag; the engine lists the digests of every name.
std::string digest_of(const engine::image& image, const std::string& reference) {
  const auto wanted = engine::parse_reference(reference);
  for (const auto& each : image.repo_digests)
    if (const auto known = engine::parse_reference(each); wanted && known && known->name == wanted->name)
      return each;
  return {};
}

task<Result<std::map<std::string, release::kept_image>>> images_of(world& w, release_ptr what) {
  std::map<std::string, release::kept_image> images;
  for (const auto& reference : release::images(what->project)) {
    auto found = co_await w.engine.images.inspect(reference);
    if (!found) co_return fail(found.error());
    images[reference] = {found->id, digest_of(*found, reference)};
  }
  co_return images;
}

// Folders of earlier writes; whatever cannot be removed is found again the next time.
task<void> remove_former(world& w, release::kept manifest) {
  const auto there = co_await w.storage.list(folder_of(manifest.version));
  if (!there) co_return;
  for (const auto& name : *there)
    if (name.ends_with("/") && name != manifest.folder + "/")
      (void)co_await w.storage.remove_tree(folder_of(manifest.version) + "/" +
                                           name.substr(0, name.size() - 1));
}

std::string place_of_edited(const config::settings& settings) { return settings.state_dir + "/kept"; }

task<Result<>> restore(world& w, release::kept manifest, std::string source) {
  auto files = co_await read_files(w, manifest);
  if (!files) co_return fail(files.error());
  log::info("release", "the bundle is laid out from the share",
            {{"version", manifest.version.text()}, {"place", source}});
  std::function<Result<>()> work = [files = std::move(*files), source, which = manifest.version] {
    return release::restore_bundle(files, source, which);
  };
  co_return co_await w.files.run<void>(std::move(work), 2min, "restore release " + manifest.version.text());
}

task<Result<std::optional<std::string>>> local_environment(world& w, version which) {
  const std::string folder = release::working_copy(w.settings, which);
  std::function<Result<std::optional<std::string>>()> read = [folder] {
    return release::environment_of(folder);
  };
  co_return co_await w.files.run<std::optional<std::string>>(std::move(read), 30s,
                                                             "read " + folder + "/.env");
}

task<Result<release::overlay>> overlay_of_folder(world& w) {
  const std::string folder = w.settings.releases.overlay;
  std::function<Result<release::overlay>()> read = [folder] { return release::read_overlay(folder); };
  co_return co_await w.files.run<release::overlay>(std::move(read), 30s, "read " + folder);
}

bool secret_key_is_configured(const config::settings& settings) {
  return settings.environment.contains("SECRET_KEY") || settings.secret_environment.contains("SECRET_KEY");
}

task<std::string> id_of(world& w, std::string reference) {
  const auto found = co_await w.engine.images.inspect(reference);
  co_return found ? found->id : std::string();
}

Error differs(const version& which, const std::string& reference, const std::string& here,
              const std::string& in_force) {
  return {"image-differs",
          "cannot start " + which.text() + ": image " + reference + " is " + here + " here, and " + in_force +
              " was in force",
          "Load that one (docker save where it still is, docker load here), then: difyd up. Or take the one "
          "that is here: difyd repin " +
              which.text()};
}

task<Result<>> have_exactly(world& w, version which, std::string reference, release::kept_image in_force) {
  const std::string here = co_await id_of(w, reference);
  const bool id_here = here != in_force.id && !(co_await id_of(w, in_force.id)).empty();
  std::string found = in_force.id;
  switch (release::choose_image(in_force, here, id_here)) {
    case release::image_step::none:
      co_return Result<>{};
    case release::image_step::refuse:
      co_return fail(differs(which, reference, here, in_force.id));
    case release::image_step::tag:
      break;
    case release::image_step::pull_digest:
    case release::image_step::pull: {
      const std::string wanted = in_force.digest.empty() ? reference : in_force.digest;
      const auto auth = co_await host::registry_auth_for(wanted);
      auto pulled =
          co_await w.engine.images.pull(wanted, {}, auth.value_or(std::string(engine::anonymous_auth)));
      if (!pulled && !auth) pulled.error().message += "; " + auth.error().message;
      if (!pulled) co_return fail(pulled.error());
      if (pulled->id != in_force.id) co_return fail(differs(which, reference, pulled->id, in_force.id));
      if (wanted == reference) co_return Result<>{};
      break;
    }
  }
  const auto name = engine::parse_reference(reference);
  if (!name) co_return fail(name.error());
  co_return co_await w.engine.images.tag(in_force.id, name->name, name->tag.empty() ? "latest" : name->tag);
}

}  // namespace

std::string this_machine() { return host::identify_machine().unique(); }

task<Result<std::optional<release::kept>>> read_kept(world& w, version which) {
  auto text = co_await w.storage.read(manifest_of(which));
  if (!text && text.error().code == "file-missing") co_return std::nullopt;
  if (!text) co_return fail(text.error());
  auto manifest = release::parse_kept(*text, w.settings.storage.root + "/" + manifest_of(which));
  if (!manifest) co_return fail(manifest.error());
  co_return std::move(*manifest);
}

task<Result<>> keep_release(world& w, release_ptr what, revision head) {
  auto images = co_await images_of(w, what);
  if (!images) co_return fail(images.error());
  // The working copy has no volumes/ of its own: the bundle is read where it was found.
  std::function<Result<std::vector<tree_file>>()> read = [what] {
    return release::files_to_keep(what->bundle, *what);
  };
  auto files = co_await w.files.run<std::vector<tree_file>>(std::move(read), 1min,
                                                            "read release " + what->version.text());
  if (!files) co_return fail(files.error());
  const auto manifest = release::describe(*what, *files, std::move(*images), std::move(head), this_machine());
  const auto former = co_await read_kept(w, what->version);
  if (former && *former && **former == manifest) co_return Result<>{};
  const std::string folder = folder_of(what->version) + "/" + manifest.folder;
  const bool files_are_there = former && *former && (*former)->folder == manifest.folder;
  if (!files_are_there) {
    if (auto made = co_await w.storage.make_folder(releases, ::geteuid(), ::getegid(), 0700); !made)
      co_return made;
    if (auto written = co_await w.storage.write_tree(folder, std::move(*files)); !written) co_return written;
  }
  if (auto good = co_await read_files(w, manifest); !good) co_return fail(good.error());
  auto told = co_await w.storage.write(manifest_of(what->version), release::to_json(manifest), 0600);
  if (told) co_await remove_former(w, manifest);
  co_return told;
}

ledger::deployment deployment_of(const release::release& what, const std::map<std::string, std::string>& ids,
                                 revision head) {
  ledger::deployment now;
  now.version = what.version;
  now.bundle = what.folder;
  now.project = what.project.name;
  for (const auto& [service, definition] : what.project.services)
    if (const auto found = ids.find(definition.image); found != ids.end())
      now.images[service] = found->second;
  now.revision = std::move(head);
  now.environment_hash = what.environment.hash;
  now.committed_at = std::chrono::system_clock::now();
  return now;
}

task<std::vector<version>> kept_versions(world& w) {
  std::vector<version> found;
  const auto there = co_await w.storage.list(releases);
  if (!there) co_return found;
  for (const auto& name : *there)
    if (name.ends_with("/"))
      if (auto which = parse_version(name.substr(0, name.size() - 1))) found.push_back(*which);
  co_return found;
}

task<void> prune_kept(world& w) {
  if (!w.book) co_return;
  const auto& book = w.book->current();
  std::vector<version> needed;
  for (const auto* each : {&book.deployed, &book.previous})
    if (*each) needed.push_back((*each)->version);
  if (book.in_flight) needed.push_back(book.in_flight->to);
  for (const auto& which : co_await kept_versions(w))
    if (std::ranges::find(needed, which) == needed.end())
      (void)co_await w.storage.remove_tree(folder_of(which));
}

task<Result<std::string>> source_in_force(world& w, version which, bool restore_it) {
  const std::string usual = w.settings.releases.source;
  auto kept = co_await read_kept(w, which);
  if (!kept) {
    log::warning("release", "what the share keeps cannot be read", {{"cause", kept.error().message}});
    co_return usual;
  }
  if (!*kept) co_return usual;
  const auto compare = [manifest = **kept](const std::string& source) {
    return [manifest, source]() -> Result<std::pair<release::bundle_state, std::vector<std::string>>> {
      std::vector<std::string> edited;
      const auto state = release::compare_bundle(manifest, source, edited);
      return std::pair(state, std::move(edited));
    };
  };
  using compared = std::pair<release::bundle_state, std::vector<std::string>>;
  auto found = co_await w.files.run<compared>(compare(usual), 1min, "read release " + which.text());
  if (!found) co_return fail(found.error());
  const auto deployed = w.book ? w.book->current().deployed : std::nullopt;
  if (deployed && deployed->version == which) w.edited_bundle = found->second;
  if (found->first == release::bundle_state::same) co_return usual;
  const std::string place =
      found->first == release::bundle_state::missing ? usual : place_of_edited(w.settings);
  if (place != usual) {
    found = co_await w.files.run<compared>(compare(place), 1min, "read release " + which.text());
    if (!found) co_return fail(found.error());
    if (found->first == release::bundle_state::same) co_return place;
  }
  // Without leave to write: what is there.
  if (!restore_it) co_return usual;
  if (auto restored = co_await restore(w, **kept, place); !restored) co_return fail(restored.error());
  co_return place;
}

task<Result<std::optional<release::overlay>>> overlay_in_force(world& w, version which, bool take_in) {
  using found = std::optional<release::overlay>;
  // In an upgrade or a restore a release is as it was, or will be, deployed: what an operator prepared for
  // the new version must not come over the old one.
  const bool changing = w.book && (w.book->current().in_flight || w.book->current().restoring);
  const auto now = co_await overlay_of_folder(w);
  if (take_in && !changing) {
    if (now) co_return found();
    if (now.error().code != "overlay-missing") co_return fail(now.error());
  }
  const auto kept = co_await read_kept(w, which);
  if (kept && !*kept) co_return found();
  if (kept && now) {
    const auto edited = release::compare_overlay(**kept, *now);
    const auto deployed = w.book ? w.book->current().deployed : std::nullopt;
    if (deployed && deployed->version == which) w.edited_overlay = edited;
    if (edited.empty()) co_return found();
  }
  const auto files =
      kept ? co_await read_files(w, **kept) : Result<std::vector<tree_file>>(fail(kept.error()));
  // What a machine has itself it needs no word of the share for.
  if (!files && (!now || changing)) co_return fail(files.error());
  if (!now || !files)
    log::warning("release",
                 now ? "the overlay of the share cannot be read: the folder's is laid over"
                     : "the overlay is not here: that of the share is laid over",
                 {{"version", which.text()}, {"cause", now ? files.error().message : now.error().message}});
  co_return files ? found(release::overlay_of(*files)) : found();
}

task<Result<std::optional<std::string>>> environment_in_force(world& w, version which) {
  auto local = co_await local_environment(w, which);
  if (!local) co_return local;
  auto kept = co_await read_kept(w, which);
  if (!kept && !*local) co_return fail(kept.error());
  if (!kept)
    log::warning("release", "what the share keeps cannot be read", {{"cause", kept.error().message}});
  if (*local && (!kept || !*kept || (*kept)->machine == this_machine())) co_return local;
  if (*kept) {
    auto files = co_await read_files(w, **kept);
    if (!files) co_return fail(files.error());
    co_return std::optional(release::environment_of(*files));
  }
  if (secret_key_is_configured(w.settings)) co_return std::nullopt;
  co_return fail("environment-unknown",
                 "cannot prepare release " + which.text() +
                     ": the environment that was in force is neither on the share nor on "
                     "this machine, and a new SECRET_KEY would end all sessions",
                 "Copy the former .env to " + release::working_copy(w.settings, which) +
                     "/.env, or set SECRET_KEY below environment_files");
}

task<Result<>> images_in_force(world& w, version which) {
  auto local = co_await local_environment(w, which);
  if (!local) co_return fail(local.error());
  auto kept = co_await read_kept(w, which);
  // What a machine has run itself it needs no word of the share for.
  if (!kept && !*local) co_return fail(kept.error());
  if (!kept || !*kept || (*local && (*kept)->machine == this_machine())) co_return Result<>{};
  for (const auto& [reference, image] : (*kept)->images)
    if (auto here = co_await have_exactly(w, which, reference, image); !here) co_return here;
  co_return Result<>{};
}

}  // namespace difyd::supervisor
