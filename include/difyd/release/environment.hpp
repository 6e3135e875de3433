// The effective environment of a release: the bundle's .env.example, then what is carried
// forward, then what difyd derives from its configuration, then the operator's overrides
// (DESIGN, "The environment of a release"). Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/config/settings.hpp"

namespace difyd::release {

using text_map = std::map<std::string, std::string, std::less<>>;

// Where the secret that signs sessions and links comes from.
enum class secret_key { own, published, empty };

struct effective_environment {
  std::string text;                  // of the .env: keys in the order of .env.example
  text_map values;                   // as docker compose reads `text` back
  std::vector<std::string> carried;  // keys kept from the environment in force
  std::vector<std::string> warnings;
  enum secret_key secret_key = secret_key::own;
  std::string hash;  // sha256 of `text`
};

// `in_force`: text of the .env that ran last; unset at the first installation, where secrets
// whose published default is a public constant are kept but warned about.
// Errors: "environment-invalid" (an .env that cannot be read back), "database-unsupported"
// (DB_TYPE other than postgresql), "environment-value" (a value the stack cannot take).
Result<effective_environment> derive_environment(std::string_view env_example,
                                                 const config::settings& settings,
                                                 const std::optional<std::string>& in_force);

// `published`: the release's .env.example. The default of all releases up to 1.14.0 counts as
// published too, as it may have been carried forward.
secret_key judge_secret_key(const text_map& values, const text_map& published);

// A dotenv text as docker compose 2.26 reads it, without any process environment.
Result<text_map> read_environment(std::string_view text);

// `KEY=value` so that the dotenv grammar of docker compose reads back exactly `value`.
std::string assignment(std::string_view key, std::string_view value);

// Whether a key holds a secret, by its name ("..._PASSWORD", "..._KEY", broker URLs, ...).
bool is_secret(std::string_view key);

// Keys that never change silently across an upgrade.
const std::set<std::string, std::less<>>& carried_keys();

}  // namespace difyd::release
