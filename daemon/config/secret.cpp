#include "difyd/config/secret.hpp"

#include <algorithm>
#include <array>

#include "difyd/base/text.hpp"

namespace difyd::config {
namespace {

// Whole words between underscores: TOP_K_MAX_VALUE and KEYBOARD are none.
constexpr std::array<std::string_view, 13> secret_words = {
    "PASSWORD", "PASSWD", "PASS",        "SECRET", "TOKEN", "KEY", "KEYS",
    "PEPPER",   "BASE64", "CREDENTIALS", "DSN",    "AUTH",  "PWD"};

// Named like secrets, but not.
constexpr std::array<std::string_view, 3> harmless = {"REDIS_KEY_PREFIX", "REDIS_SSL_KEYFILE", "MAX_TOKEN"};

}  // namespace

bool names_secret(std::string_view variable) {
  if (std::ranges::find(harmless, variable) != harmless.end()) return false;
  // A broker's URL carries its password.
  if (variable.ends_with("BROKER_URL") || variable.ends_with("REDIS_URL") ||
      variable.ends_with("CONNECTION_STRING"))
    return true;
  const auto words = split(variable, '_');
  // ACCESS_TOKEN_EXPIRE_MINUTES, PLUGIN_BASED_TOKEN_COUNTING_ENABLED: a time, a switch.
  for (const char* plain : {"EXPIRE", "EXPIRES", "EXPIRY", "ENABLED"})
    if (std::ranges::find(words, plain) != words.end()) return false;
  return std::ranges::any_of(words, [](const std::string& word) {
    return std::ranges::find(secret_words, word) != secret_words.end();
  });
}

}  // namespace difyd::config
