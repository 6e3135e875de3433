// What an existing installation (a folder with a compose file and .env) becomes: settings, secret files, and
// a report of what is not as it was. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "difyd/compose/project.hpp"
#include "difyd/release/environment.hpp"
#include "difyd/release/new_configuration.hpp"

namespace difyd::release {

using name_set = std::set<std::string, std::less<>>;

struct adoption_facts {
  config::settings base;          // project, version, storage and where things are
  std::string secrets;            // folder of the secret files
  text_map environment;           // of its .env
  std::string env_example;        // of the same release
  name_set services;              // of the release, enabled or not
  name_set own_services;          // of its own compose file
  name_set named;                 // keys that the release's compose file or envs/ name
  name_set known_elsewhere;       // keys of other releases
  bool whole_env = false;         // the release hands the whole .env to its containers (1.14.1 and later)
  std::string published_port;     // of its nginx; empty: not known
  text_map given_to_api;          // the environment of its api: the compose file may say otherwise than .env
  std::string stored_secret_key;  // what the api wrote to its storage where SECRET_KEY is empty
};

// A key that is not as it was, values of secrets left out.
struct changed_key {
  std::string key;
  std::string before, now;
  std::string why;

  friend bool operator==(const changed_key&, const changed_key&) = default;
};

struct adoption_report {
  std::vector<std::string> overrides;  // kept below environment
  std::vector<std::string> secrets;    // kept below environment_files
  std::vector<std::string> unknown;    // of these, what no release knows
  std::vector<std::string> obsolete;   // of other releases; left out where no container would get them
  std::vector<std::string> defaulted;  // not in the .env: the release's default from now on
  std::vector<changed_key> changed;
  std::vector<std::string> decide;  // sentences for an operator
};

struct adoption {
  new_configuration made;
  adoption_report report;
};

// Errors: "database-unsupported", "environment-value", "environment-invalid", those of config::load.
Result<adoption> adopt(const adoption_facts& facts);

// The one version of the api's and the web's images. Error "adopt-version": none, several, or no version.
Result<version> version_of(const compose::project& project);

// Folder that becomes storage.root: where the api's uploads lie in app/storage, "" where they do not.
std::string storage_of(const compose::project& project);

// Where the entrance is published, as EXPOSE_NGINX_PORT may say: "80", "127.0.0.1:8080"; "" where that is
// nowhere, or at several places.
std::string published_port(const compose::project& project);

// Keys that a compose file names in ${...}.
name_set named_keys(std::string_view compose_text);

struct service_difference {
  std::string service;
  std::vector<std::string> what;         // "image A -> B", "ports", "not in the release", ...
  std::vector<std::string> environment;  // keys with another value; none is as good as an empty one
};

struct comparison {
  std::vector<service_difference> differences;
  std::vector<std::string> made_anew;  // services whose containers docker compose would create again
  std::vector<std::string> stay;
};

// Of what runs so far and what difyd will run. `told`: keys of the environment that are told elsewhere.
comparison compare(const compose::project& before, const compose::project& after, const name_set& told);

}  // namespace difyd::release
