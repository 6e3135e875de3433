#include "load_release.hpp"

#include "difyd/base/log.hpp"
#include "keeping.hpp"
#include "laying_out.hpp"

namespace difyd::supervisor {
namespace {

Result<std::vector<release::advisory>> read_advisories(const config::settings& settings, const version& from,
                                                       const version& to) {
  const auto book = release::load_advisories(settings.releases.advisories);
  if (!book) return fail(book.error());
  const auto bundle = release::find_bundle(settings.releases.source, to);
  if (!bundle) return fail(bundle.error());
  const auto published = release::read_environment(bundle->env_example);
  if (!published) return fail(published.error());
  const auto in_force = release::environment_of(release::working_copy(settings, from));
  if (!in_force) return fail(in_force.error());
  const auto then = release::derive_environment(bundle->env_example, settings, *in_force);
  if (!then) return fail(then.error());
  return release::concerning(release::advisories_for(*book, from, to), *published, then->values);
}

}  // namespace

task<Result<release_ptr>> load_release(world& w, version which, std::optional<version> carried_from,
                                       laying_out how, origin from) {
  auto settings = w.settings;
  std::optional<release::overlay> over;  // unset: as the folder is now
  if (from != origin::bundle) {
    auto source = co_await source_in_force(w, which, how == laying_out::yes);
    if (!source) co_return fail(source.error());
    settings.releases.source = std::move(*source);
    auto laid_over = co_await overlay_in_force(w, which, from == origin::taking_in);
    if (!laid_over) co_return fail(laid_over.error());
    over = std::move(*laid_over);
  }
  std::optional<std::string> in_force;
  if (carried_from) {
    auto environment = co_await environment_in_force(w, *carried_from);
    if (!environment) co_return fail(environment.error());
    in_force = std::move(*environment);
  }
  std::function<Result<release_ptr>()> work = [settings = std::move(settings), which, in_force,
                                               over = std::move(over), how]() -> Result<release_ptr> {
    const auto laid_over =
        over ? Result<release::overlay>(*over) : release::read_overlay(settings.releases.overlay);
    if (!laid_over) return fail(laid_over.error());
    auto made = how == laying_out::yes ? release::assemble(settings, which, in_force, *laid_over)
                                       : release::preview(settings, which, in_force, *laid_over);
    if (!made) return fail(made.error());
    return std::make_shared<const release::release>(std::move(*made));
  };
  auto loaded = co_await w.files.run<release_ptr>(std::move(work), std::chrono::minutes(2),
                                                  "prepare release " + which.text());
  if (loaded && how == laying_out::yes)
    if (auto laid = co_await lay_out_storage(w, *loaded); !laid) co_return fail(laid.error());
  co_return loaded;
}

task<Result<std::vector<release::advisory>>> advisories_of(world& w, version from, version to) {
  const config::settings* settings = &w.settings;
  std::function<Result<std::vector<release::advisory>>()> work = [settings, from, to] {
    return read_advisories(*settings, from, to);
  };
  co_return co_await w.files.run<std::vector<release::advisory>>(std::move(work), std::chrono::seconds(30),
                                                                 "read " + w.settings.releases.advisories);
}

task<Result<std::vector<std::string>>> not_of_the_hop(world& w, std::vector<release::advisory> applying,
                                                      std::set<std::string> acknowledged, version to) {
  using names = std::vector<std::string>;
  const std::string path = w.settings.releases.advisories;
  std::function<Result<names>()> work = [=]() -> Result<names> {
    const auto book = release::load_advisories(path);
    if (!book) return fail(book.error());
    return release::beside_the_hop(*book, applying, acknowledged, to);
  };
  co_return co_await w.files.run<names>(std::move(work), std::chrono::seconds(30), "read " + path);
}

task<void> know_release(world& w) {
  if (*w.in_force.get() || !w.book) co_return;
  const auto& book = w.book->current();
  std::optional<version> deployed;
  if (book.deployed) deployed = book.deployed->version;
  const auto which = book.in_flight ? std::optional(book.in_flight->to) : deployed;
  if (!which) co_return;
  auto loaded = co_await load_release(w, *which, deployed, laying_out::no, origin::in_force);
  if (loaded)
    w.in_force.set(*loaded);
  else
    log::warning("release", "cannot read the release", {{"cause", loaded.error().message}});
}

}  // namespace difyd::supervisor
