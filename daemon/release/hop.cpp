#include "difyd/release/hop.hpp"

#include <algorithm>
#include <set>

#include "difyd/compose/hash.hpp"
#include "difyd/release/roles.hpp"

namespace difyd::release {
namespace {

using compose::project;
using compose::service;

// The folder of a working copy has the version in its name: of two releases the same place.
std::string place(const project& of, const std::string& source) {
  const std::string root = of.working_dir + "/";
  return source.starts_with(root) ? source.substr(root.size()) : source;
}

std::set<std::string> data_of(const project& of, const std::string& name) {
  return data_places(of, of.services.at(name));
}

// "volumes/db" and "volumes/db/data" are one directory tree.
bool within(const std::string& inner, const std::string& outer) {
  return inner == outer || inner.starts_with(outer + "/");
}

std::string shared(const std::set<std::string>& some, const std::set<std::string>& others) {
  for (const auto& one : some)
    for (const auto& other : others)
      if (within(one, other) || within(other, one)) return one.size() < other.size() ? other : one;
  return {};
}

// The service that has had this one's data so far.
std::string former(const project& before, const project& after, const std::string& name) {
  for (const auto& old : infrastructure(before))
    if (!after.services.contains(old) && !shared(data_of(before, old), data_of(after, name)).empty())
      return old;
  return {};
}

service placed(const project& of, service one) {
  for (auto& mount : one.volumes) mount.source = place(of, mount.source);
  return one;
}

std::vector<data_change> changes_of_data(const project& before, const project& after) {
  std::vector<data_change> changes;
  std::set<std::string> renamed;
  for (const auto& name : infrastructure(after)) {
    data_change change{name, data_change_kind::settings, {}, image_of(after, name), false, {}};
    const bool stays = before.services.contains(name);
    const std::string old = stays ? name : former(before, after, name);
    if (old.empty()) {
      change.kind = data_change_kind::added;
      changes.push_back(std::move(change));
      continue;
    }
    change.another_image = image_of(before, old) != change.image;
    change.settings = different_settings(before, before.services.at(old), after, after.services.at(name));
    if (!stays) {
      change.kind = data_change_kind::renamed;
      change.was = old;
      renamed.insert(old);
    } else if (change.another_image) {
      change.kind = data_change_kind::image;
      change.was = image_of(before, old);
    } else if (change.settings.empty()) {
      continue;
    }
    changes.push_back(std::move(change));
  }
  for (const auto& name : infrastructure(before))
    if (!after.services.contains(name) && !renamed.contains(name))
      changes.push_back({name, data_change_kind::dropped, {}, {}, false, {}});
  std::ranges::sort(changes, {}, &data_change::service);
  return changes;
}

}  // namespace

std::string_view to_text(data_change_kind kind) {
  switch (kind) {
    case data_change_kind::added:
      return "added";
    case data_change_kind::renamed:
      return "renamed";
    case data_change_kind::dropped:
      return "dropped";
    case data_change_kind::image:
      return "image";
    case data_change_kind::settings:
      break;
  }
  return "settings";
}

std::vector<std::string> different_settings(const project& before, const service& old, const project& after,
                                            const service& now) {
  service was = placed(before, old), is = placed(after, now);
  std::vector<std::string> found;
  std::set<std::string> keys;
  for (const auto* one : {&was, &is})
    for (const auto& [key, value] : one->environment) keys.insert(key);
  for (const auto& key : keys) {
    const auto left = was.environment.find(key), right = is.environment.find(key);
    const bool both = left != was.environment.end() && right != is.environment.end();
    if (!both || left->second != right->second) found.push_back("environment " + key);
  }
  if (was.command != is.command || was.entrypoint != is.entrypoint) found.push_back("command");
  if (was.volumes != is.volumes) found.push_back("volumes");
  for (auto* one : {&was, &is}) {
    one->environment.clear();
    one->command.reset();
    one->entrypoint.reset();
    one->volumes.clear();
    one->image.clear();
    one->name.clear();
  }
  constexpr auto without_dependencies = compose::hash_epoch::v2_40;
  if (compose::hash_input(was, without_dependencies) != compose::hash_input(is, without_dependencies))
    found.push_back("others");
  return found;
}

service_changes changes_of_services(const project& before, const project& after) {
  service_changes changes;
  for (const auto& [name, definition] : after.services)
    if (!before.services.contains(name)) changes.added.push_back(name);
  for (const auto& [name, definition] : before.services)
    if (!after.services.contains(name)) changes.removed.push_back(name);
  changes.data = changes_of_data(before, after);
  return changes;
}

Result<> refuse_shared_data(const project& of) {
  const auto services = data_services(of);
  for (auto one = services.begin(); one != services.end(); ++one)
    for (auto other = std::next(one); other != services.end(); ++other)
      if (const auto what = shared(data_of(of, *one), data_of(of, *other)); !what.empty())
        return fail("shared-data",
                    "cannot run " + *one + " and " + *other + " at once: both keep their data in " + what,
                    "Two services on one data directory destroy it: choose one of them (COMPOSE_PROFILES)");
  return {};
}

}  // namespace difyd::release
