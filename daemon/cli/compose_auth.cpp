// Registry passwords from docker's config.json ("auths"; credential helpers are not asked).
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "compose_session.hpp"
#include "difyd/engine/image.hpp"

namespace difyd::cli {
namespace {

std::string decode_base64(const std::string& text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = letters.find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xff);
    }
  }
  return out;
}

nlohmann::json docker_config() {
  const char* folder = std::getenv("DOCKER_CONFIG");
  const char* home = std::getenv("HOME");
  const std::string path = folder != nullptr ? folder : std::string(home == nullptr ? "" : home) + "/.docker";
  std::ifstream in(path + "/config.json");
  return in ? nlohmann::json::parse(in, nullptr, false) : nlohmann::json();
}

}  // namespace

std::string auth_for(const std::string& image) {
  static const nlohmann::json config = docker_config();
  const auto reference = engine::parse_reference(image);
  if (!reference || !config.is_object() || !config.contains("auths"))
    return std::string(engine::anonymous_auth);
  const auto registry = engine::registry_of(reference->name);
  const auto found = config["auths"].find(registry);
  if (found == config["auths"].end() || !found->is_object()) return std::string(engine::anonymous_auth);
  if (const auto token = found->value("identitytoken", ""); !token.empty())
    return engine::registry_auth(nlohmann::json{{"identitytoken", token}}.dump());
  const auto pair = decode_base64(found->value("auth", ""));
  const auto colon = pair.find(':');
  if (colon == std::string::npos) return std::string(engine::anonymous_auth);
  return engine::registry_auth(pair.substr(0, colon), pair.substr(colon + 1), registry);
}

}  // namespace difyd::cli
