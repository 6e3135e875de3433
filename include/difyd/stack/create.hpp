// What is sent to the engine to create containers, networks and volumes: pure functions of the
// project, checked against recorded requests of docker compose (REFERENCE section 2, recorded/).
#pragma once

#include <difyd/base/error.hpp>
#include <difyd/compose/project.hpp>
#include <difyd/stack/dialect.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace difyd::stack {

// The negotiated version of the Engine API, "1.41".
struct api_version {
  int major = 1;
  int minor = 41;
  friend auto operator<=>(const api_version&, const api_version&) = default;
};

// An anonymous volume that a recreated container takes over from the one it replaces.
struct inherited_volume {
  std::string name;
  std::string target;
  bool read_only = false;
  friend bool operator==(const inherited_volume&, const inherited_volume&) = default;
};

// A container outside the service's numbering: `docker compose run`.
struct one_off {
  std::string name;  // empty: <project>-<service>-run-<slug>
  std::string slug;  // 64 hexadecimal characters
  std::optional<compose::text_list> entrypoint;
  std::optional<compose::text_list> command;
  compose::environment_map environment;  // over the service's
  compose::text_map labels;              // beside docker compose's
  std::string network;                   // key of the only network to join; empty: the service's
};

struct create_context {
  const compose::project* project = nullptr;
  std::string service;
  int number = 1;
  api_version api;
  struct dialect dialect;
  std::string image_id;                // of the service's image, for the label
  compose::text_map container_ids;     // service -> container, for `network_mode: service:x` and its like
  compose::text_map base_environment;  // put underneath, in no hash: the client's proxy settings
  std::vector<inherited_volume> inherited;
  std::string replaces;                // id of the container that this one replaces
  compose::text_map seccomp_profiles;  // path as in security_opt -> text of the file
  // Dependencies on other services than these are left out (`up --no-deps`); unset: none is.
  std::optional<std::set<std::string>> alone;
  std::optional<struct one_off> one_off;
};

struct network_connect {
  std::string network;  // name on the engine
  nlohmann::json endpoint;
};

struct create_request {
  std::string name;      // temporary where `replaces` is set
  std::string platform;  // "linux/amd64" or empty
  nlohmann::json body;   // empty fields are left out
  // API < 1.44 takes one endpoint at creation; the others are connected before the start.
  std::vector<network_connect> connects;
  std::string config_hash;
};

// "profile.json" of "seccomp=profile.json", relative to the project's directory; empty where an option
// names no file.
std::string seccomp_profile_of(std::string_view security_option);

// JSON without what is between its parts; nothing else is changed.
std::string compact_json(std::string_view text);

// Errors: "unsupported-by-engine" (start_interval before API 1.44), "unsupported" (external
// secrets, images that are to be built), "seccomp-profile-missing", "missing-dependency"
// (a namespace of a service without a container).
Result<create_request> create_container_request(const create_context& context);

// The hash that docker compose of this epoch would put on a container of the service. Container ids
// as above; dependencies that are not active do not count.
std::string service_hash(const compose::project& p, const compose::service& s, compose::hash_epoch epoch,
                         const compose::text_map& container_ids = {});

nlohmann::json network_create_body(const compose::project& p, const std::string& key, const dialect& d);
nlohmann::json volume_create_body(const compose::project& p, const std::string& key, const dialect& d);

// A secret or config that is not a file of this machine is copied into the container
// before it starts: path in the container, content, mode, owner.
struct inline_file {
  std::string path;
  std::string content;
  std::int64_t mode = 0444;
  int uid = 0;
  int gid = 0;
  bool owned = false;  // uid or gid were given; else root's
};
Result<std::vector<inline_file>> inline_files(const compose::project& p, const compose::service& s);

// Whether every variable that a secret or config of the service comes from is set, be it to nothing: docker
// compose starts no container without. Error "variable-not-set".
Result<> check_variables(const compose::project& p, const compose::service& s);

// One file as a tar archive (ustar), as PUT /containers/{id}/archive?path=/ takes it.
Result<std::string> tar_of(const inline_file& file);

}  // namespace difyd::stack
