// How the environment of two releases differs: what they publish (.env.example) and what is, or
// would be, in force. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/release/advisories.hpp"
#include "difyd/release/environment.hpp"

namespace difyd::release {

// `value`: only what is in force changes.
enum class env_change { added, removed, renamed, changed, value };

std::string_view to_text(env_change kind);

// As docker compose reads them (read_environment).
struct environment_of_release {
  text_map published;
  std::optional<text_map> in_force;  // unset: not known
};

// Values as they may be shown. Of a secret: "" (empty or not there), "set", "default" (in force is
// what the release publishes) or "changed" (not what stands in the column before).
struct env_difference {
  std::string key;
  env_change kind = env_change::changed;
  std::string new_key;  // renamed: its name from now on
  std::string old_default;
  std::string new_default;
  std::string in_force;       // of the old release
  std::string then_in_force;  // of the new one
  bool secret = false;
  std::string matters;  // why an operator should look at it; empty: it probably does not matter

  friend bool operator==(const env_difference&, const env_difference&) = default;
};

using key_map = std::map<std::string, std::string, std::less<>>;

// What matters first, by reason; then by kind and key.
std::vector<env_difference> env_diff(const environment_of_release& before,
                                     const environment_of_release& after, const key_map& renamed_keys);

}  // namespace difyd::release
