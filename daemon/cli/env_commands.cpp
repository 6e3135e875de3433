#include "env_commands.hpp"

#include <cstdio>

#include "difyd/config/load.hpp"
#include "difyd/release/bundle.hpp"
#include "difyd/release/working_copy.hpp"
#include "render_env.hpp"

namespace difyd::cli {
namespace {

Result<release::environment_of_release> published(const release::bundle& of) {
  auto values = release::read_environment(of.env_example);
  if (!values) return fail(std::move(values.error()));
  return release::environment_of_release{std::move(*values), std::nullopt};
}

// What the old release ran with last, and what the new one would run with after it.
Result<> add_in_force(release::environment_of_release& before, release::environment_of_release& after,
                      const config::settings& settings, const version& from, const release::bundle& to) {
  const auto text = release::environment_of(release::working_copy(settings, from));
  if (!text) return fail(text.error());
  if (!*text) return {};
  auto was = release::read_environment(**text);
  if (!was) return fail(std::move(was.error()));
  auto then = release::derive_environment(to.env_example, settings, *text);
  if (!then) return fail(std::move(then.error()));
  before.in_force = std::move(*was);
  after.in_force = std::move(then->values);
  return {};
}

release::key_map renamed_keys(const config::settings& settings) {
  auto book = release::load_advisories(settings.releases.advisories);
  if (book) return std::move(book->renamed_keys);
  std::fprintf(stderr, "difyd: warning: which keys were renamed is not known: %s\n",
               sentence(book.error()).c_str());
  return {};
}

Result<env_report> compare(const options& given, const std::string& from, const std::string& to) {
  const auto settings = config::load(given.config, config::this_process());
  if (!settings) return fail(settings.error());
  const auto old_version = parse_version(from), new_version = parse_version(to);
  if (!old_version) return fail(old_version.error());
  if (!new_version) return fail(new_version.error());
  const auto old_bundle = release::find_bundle(settings->releases.source, *old_version);
  if (!old_bundle) return fail(old_bundle.error());
  const auto new_bundle = release::find_bundle(settings->releases.source, *new_version);
  if (!new_bundle) return fail(new_bundle.error());
  auto before = published(*old_bundle), after = published(*new_bundle);
  if (!before) return fail(before.error());
  if (!after) return fail(after.error());
  if (auto added = add_in_force(*before, *after, *settings, *old_version, *new_bundle); !added)
    return fail(added.error());
  return env_report{old_version->text(), new_version->text(), before->in_force.has_value(),
                    release::env_diff(*before, *after, renamed_keys(*settings))};
}

}  // namespace

int show_env_diff(const options& given, const std::string& from, const std::string& to) {
  const auto report_of = compare(given, from, to);
  if (!report_of) return report(report_of.error(), exit_code_of(report_of.error()));
  std::printf("%s", given.json ? (to_json(*report_of) + "\n").c_str() : render(*report_of).c_str());
  return succeeded;
}

}  // namespace difyd::cli
