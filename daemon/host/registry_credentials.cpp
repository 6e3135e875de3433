#include "difyd/host/registry_credentials.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"
#include "difyd/engine/image.hpp"
#include "difyd/host/metadata.hpp"

namespace difyd::host {
namespace {

using nlohmann::json;

std::string decode_base64(std::string_view text) {
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

// "https://registry.example/v2/" and "registry.example" are one registry.
std::string_view host_of(std::string_view registry) {
  if (const auto scheme = registry.find("://"); scheme != registry.npos) registry.remove_prefix(scheme + 3);
  return registry.substr(0, registry.find('/'));
}

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json* entry_of(const json& config, const char* part, const std::string& registry) {
  const auto entries = config.find(part);
  if (entries == config.end() || !entries->is_object()) return nullptr;
  if (const auto exact = entries->find(registry); exact != entries->end()) return &*exact;
  for (const auto& [key, value] : entries->items())
    if (host_of(key) == host_of(registry)) return &value;
  return nullptr;
}

std::string token_auth(const std::string& token) {
  return engine::registry_auth(json{{"identitytoken", token}}.dump());
}

std::string home() {
  if (const char* given = std::getenv("HOME"); given && *given) return given;
  const auto* user = ::getpwuid(::geteuid());  // a service has no HOME
  return user ? user->pw_dir : "";
}

std::string config_path() {
  const char* folder = std::getenv("DOCKER_CONFIG");
  return (folder && *folder ? std::string(folder) : home() + "/.docker") + "/config.json";
}

std::string read_config() {
  std::ifstream file(config_path());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string environment_of(const char* name, std::string otherwise) {
  const char* given = std::getenv(name);
  return std::string(name) + "=" + (given && *given ? std::string(given) : std::move(otherwise));
}

Error no_credentials(const std::string& registry, const std::string& cause) {
  return {"credentials-failed", "cannot get the password of registry " + registry + ": " + cause,
          "Try: docker pull of one of its images; docker login " + registry +
              " stores a password without a helper"};
}

task<Result<std::string>> ask_helper(credential_place place) {
  const std::string program = "docker-credential-" + place.helper;
  process_spec spec;
  spec.argv = {"/usr/bin/env", program, "get"};
  spec.environment = {environment_of("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                      "HOME=" + home()};
  spec.input = place.registry;
  const auto done = co_await run_process(std::move(spec));
  if (!done) co_return fail(no_credentials(place.registry, program + ": " + done.error().message));
  // The helpers' protocol has this sentence for it (docker-credential-helpers, credentials/error.go).
  if (done->output.find("credentials not found in native keychain") != std::string::npos)
    co_return std::string(engine::anonymous_auth);
  if (done->exit_code != 0)
    // What it printed may hold the password; only its errors are told.
    co_return fail(no_credentials(place.registry, program + " ended with " + std::to_string(done->exit_code) +
                                                      ": " + std::string(trim(done->errors))));
  co_return auth_of_helper(done->output, place.registry);
}

task<Result<std::string>> ask_google(std::string registry) {
  if (detect_cloud() != cloud::gce) co_return std::string(engine::anonymous_auth);
  const auto token = co_await read_access_token();
  if (!token) co_return fail(no_credentials(registry, token.error().message));
  // A machine without a service account may still read what is public.
  if (!*token) co_return std::string(engine::anonymous_auth);
  co_return engine::registry_auth("oauth2accesstoken", **token, registry);
}

}  // namespace

Result<credential_place> place_of_credentials(std::string_view config, const std::string& image) {
  const auto reference = engine::parse_reference(image);
  if (!reference) return fail(reference.error());
  credential_place place;
  place.registry = engine::registry_of(reference->name);
  if (trim(config).empty()) return place;
  const json tree = json::parse(config, nullptr, false);
  if (!tree.is_object())
    return fail("docker-config-invalid", "cannot read docker's config.json: it is no JSON object",
                "It is below $DOCKER_CONFIG or ~/.docker; docker login writes it anew");
  const auto* own = entry_of(tree, "credHelpers", place.registry);
  place.helper = own && own->is_string() ? own->get<std::string>() : text_in(tree, "credsStore");
  if (!place.helper.empty()) {
    place.what = credential_place::kind::helper;
    return place;
  }
  const auto* entry = entry_of(tree, "auths", place.registry);
  if (!entry || !entry->is_object()) return place;
  const std::string token = text_in(*entry, "identitytoken"), pair = decode_base64(text_in(*entry, "auth"));
  const auto colon = pair.find(':');
  if (token.empty() && colon == std::string::npos) return place;
  place.what = credential_place::kind::given;
  place.auth = token.empty()
                   ? engine::registry_auth(pair.substr(0, colon), pair.substr(colon + 1), place.registry)
                   : token_auth(token);
  return place;
}

Result<std::string> auth_of_helper(std::string_view printed, const std::string& registry) {
  const json tree = json::parse(printed, nullptr, false);
  const std::string user = tree.is_object() ? text_in(tree, "Username") : std::string();
  if (user.empty()) return fail(no_credentials(registry, "its helper gave no user"));
  const std::string secret = text_in(tree, "Secret");
  return user == "<token>" ? token_auth(secret) : engine::registry_auth(user, secret, registry);
}

bool is_google_registry(std::string_view registry) {
  return registry.ends_with("-docker.pkg.dev") || registry == "gcr.io" || registry.ends_with(".gcr.io");
}

task<Result<std::string>> registry_auth_for(std::string image) {
  auto place = place_of_credentials(read_config(), image);
  if (!place) co_return fail(place.error());
  if (place->what == credential_place::kind::given) co_return place->auth;
  if (place->what == credential_place::kind::helper) co_return co_await ask_helper(std::move(*place));
  if (is_google_registry(place->registry)) co_return co_await ask_google(place->registry);
  co_return std::string(engine::anonymous_auth);
}

proxy_variables proxies_in(std::string_view config, const std::string& engine) {
  proxy_variables found;
  const json tree = json::parse(config, nullptr, false);
  const auto all = tree.is_object() ? tree.find("proxies") : tree.end();
  if (!tree.is_object() || all == tree.end() || !all->is_object()) return found;
  const auto own = all->find(all->contains(engine) ? engine : "default");
  if (own == all->end() || !own->is_object()) return found;
  for (const auto& [key, name] : {std::pair("httpProxy", "HTTP_PROXY"),
                                  std::pair("httpsProxy", "HTTPS_PROXY"), std::pair("noProxy", "NO_PROXY"),
                                  std::pair("ftpProxy", "FTP_PROXY"), std::pair("allProxy", "ALL_PROXY")}) {
    const auto value = text_in(*own, key);
    if (!value.empty()) found[name] = found[lower(name)] = value;
  }
  return found;
}

proxy_variables proxies_of(const std::string& engine) { return proxies_in(read_config(), engine); }

}  // namespace difyd::host
