// What docker's config.json says (docker/cli, cli/config/configfile): the password for an image's registry
// (credHelpers, then credsStore, then auths), beside it this machine's own token for Google's registries
// where nothing else is given; and the proxies of containers.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "difyd/base/task.hpp"

namespace difyd::host {

struct credential_place {
  enum class kind { none, given, helper };
  kind what = kind::none;
  std::string registry;  // as docker's config.json and the helpers name it
  std::string auth;      // given: X-Registry-Auth
  std::string helper;    // helper: docker-credential-<helper>

  friend bool operator==(const credential_place&, const credential_place&) = default;
};

// Of the text of docker's config.json, "" where there is none. Errors: "docker-config-invalid",
// "image-reference-invalid".
Result<credential_place> place_of_credentials(std::string_view config, const std::string& image);

// X-Registry-Auth from what `docker-credential-<helper> get` printed. Error "credentials-failed".
Result<std::string> auth_of_helper(std::string_view printed, const std::string& registry);

// Artifact Registry and Container Registry.
bool is_google_registry(std::string_view registry);

// X-Registry-Auth for an image; engine::anonymous_auth where nobody gave a password. Read anew each time, for
// tokens expire: $DOCKER_CONFIG/config.json, else .docker/config.json of this user. A helper has 30 s.
// Errors: those above, "credentials-failed"; as docker has it, they are no reason not to try anonymously.
task<Result<std::string>> registry_auth_for(std::string image);

// Variables by name: HTTP_PROXY, http_proxy and their like, which docker puts beneath the environment of each
// container.
using proxy_variables = std::map<std::string, std::string, std::less<>>;

// Of the text of docker's config.json: what `proxies` has for the engine at that address
// ("unix:///run/docker.sock"), else for "default". Nothing where the text cannot be read.
proxy_variables proxies_in(std::string_view config, const std::string& engine);

// From the same file as the passwords, read anew each time.
proxy_variables proxies_of(const std::string& engine);

}  // namespace difyd::host
