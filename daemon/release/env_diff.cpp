#include "difyd/release/env_diff.hpp"

#include <algorithm>
#include <tuple>

#include "env_diff_concern.hpp"

namespace difyd::release {
namespace {

using found = const std::string*;

found find(const text_map& map, std::string_view key) {
  const auto each = map.find(key);
  return each == map.end() ? nullptr : &each->second;
}

found find(const std::optional<text_map>& map, std::string_view key) {
  return map ? find(*map, key) : nullptr;
}

std::string or_empty(found value) { return value ? *value : std::string(); }

class comparison {
 public:
  comparison(const environment_of_release& before, const environment_of_release& after,
             const key_map& renamed)
      : before_(before), after_(after) {
    for (const auto& [old_key, new_key] : renamed)
      if (find(before.published, old_key) && !find(after.published, old_key) &&
          find(after.published, new_key) && !find(before.published, new_key))
        renamed_[old_key] = new_key;
    chosen_ = {choice_of("VECTOR_STORE"), choice_of("STORAGE_TYPE")};
  }

  std::vector<env_difference> run() {
    std::set<std::string, std::less<>> keys, new_names;
    for (const auto* map : {&before_.published, &after_.published})
      for (const auto& [key, value] : *map) keys.insert(key);
    for (const auto* map : {&before_.in_force, &after_.in_force})
      if (*map)
        for (const auto& [key, value] : **map) keys.insert(key);
    for (const auto& [old_key, new_key] : renamed_) new_names.insert(new_key);
    for (const auto& key : keys)
      if (!new_names.contains(key)) compare(key);
    std::ranges::sort(entries_, {}, [](const ranked& each) {
      return std::tuple(each.rank, each.entry.kind, std::string_view(each.entry.key));
    });
    std::vector<env_difference> result;
    for (auto& each : entries_) result.push_back(std::move(each.entry));
    return result;
  }

 private:
  struct ranked {
    int rank;
    env_difference entry;
  };

  std::string choice_of(std::string_view key) const {
    for (found value : {find(after_.in_force, key), find(before_.in_force, key), find(after_.published, key),
                        find(before_.published, key)})
      if (value) return *value;
    return {};
  }

  void compare(const std::string& key) {
    env_difference entry;
    entry.key = key;
    const auto renamed = renamed_.find(key);
    if (renamed != renamed_.end()) entry.new_key = renamed->second;
    const std::string& later = entry.new_key.empty() ? key : entry.new_key;
    const found was = find(before_.published, key), is = find(after_.published, later);
    const found forced = find(before_.in_force, key), then = find(after_.in_force, later);
    const bool both_known = before_.in_force && after_.in_force;
    const bool moves = both_known && or_empty(forced) != or_empty(then);
    if (!entry.new_key.empty()) {
      entry.kind = env_change::renamed;
    } else if (was && !is) {
      entry.kind = env_change::removed;
    } else if (!was && is) {
      entry.kind = env_change::added;
    } else if (was && *was != *is) {
      entry.kind = env_change::changed;
    } else if (moves) {
      entry.kind = env_change::value;
    } else {
      return;
    }
    const bool own = forced && *forced != or_empty(was);
    fill(entry, {was, is, forced, then});
    entries_.push_back(judged(std::move(entry), own));
  }

  struct values {
    found was, is, forced, then;
  };

  static void fill(env_difference& entry, const values& v) {
    entry.secret = is_secret(entry.key);
    if (!entry.secret) {
      entry.old_default = or_empty(v.was);
      entry.new_default = or_empty(v.is);
      entry.in_force = or_empty(v.forced);
      entry.then_in_force = or_empty(v.then);
      return;
    }
    const auto word = [](found value, found compared, const char* same, const char* other) {
      if (!value || value->empty()) return "";
      return compared && *compared == *value ? same : other;
    };
    entry.old_default = word(v.was, nullptr, "", "set");
    entry.new_default = word(v.is, v.was, "set", v.was && !v.was->empty() ? "changed" : "set");
    entry.in_force = word(v.forced, v.was, "default", "set");
    const bool kept = or_empty(v.forced) == or_empty(v.then);
    entry.then_in_force =
        word(v.then, v.is, "default", kept || !v.forced || v.forced->empty() ? "set" : "changed");
  }

  // A value of the operator's own under a key that goes away matters most of all.
  ranked judged(env_difference entry, bool own) const {
    const bool gone = entry.kind == env_change::removed || entry.kind == env_change::renamed;
    if (own && gone) {
      entry.matters = "own value";
      return {-1, std::move(entry)};
    }
    if (!worth_a_look(entry)) return {concern().rank, std::move(entry)};
    const auto concern = concern_of(entry.key, chosen_);
    entry.matters = concern.reason;
    return {concern.rank, std::move(entry)};
  }

  // A key that comes without a value changes nothing by itself; nor does one that leaves
  // .env.example while its default is in force, which the image has too.
  bool worth_a_look(const env_difference& entry) const {
    if (entry.kind == env_change::added) return !entry.new_default.empty() || !entry.then_in_force.empty();
    if (entry.kind == env_change::removed) return !before_.in_force && !entry.old_default.empty();
    return true;
  }

  const environment_of_release& before_;
  const environment_of_release& after_;
  key_map renamed_;
  chosen_services chosen_;
  std::vector<ranked> entries_;
};

}  // namespace

std::string_view to_text(env_change kind) {
  switch (kind) {
    case env_change::added:
      return "added";
    case env_change::removed:
      return "removed";
    case env_change::renamed:
      return "renamed";
    case env_change::changed:
      return "changed";
    case env_change::value:
      break;
  }
  return "value";
}

std::vector<env_difference> env_diff(const environment_of_release& before,
                                     const environment_of_release& after, const key_map& renamed_keys) {
  return comparison(before, after, renamed_keys).run();
}

}  // namespace difyd::release
