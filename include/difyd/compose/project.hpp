// The resolved compose model: what docker compose would act on, as plain values. Field names
// and meaning follow compose-go 2.4 to 2.9 (docker compose 2.26 to 2.40).
#pragma once

#include <difyd/compose/service.hpp>

namespace difyd::compose {

struct ipam_pool {
  std::string subnet;
  std::string gateway;
  std::string ip_range;
  text_map aux_addresses;
  friend bool operator==(const ipam_pool&, const ipam_pool&) = default;
};

struct ipam_config {
  std::string driver;
  std::vector<ipam_pool> config;
  extension_list extensions;
  friend bool operator==(const ipam_config&, const ipam_config&) = default;
};

struct network {
  std::string name;  // on the engine: <project>_<key>, or the file's own
  std::string driver;
  text_map driver_opts;
  ipam_config ipam;
  bool external = false;
  bool internal = false;
  bool attachable = false;
  text_map labels;
  std::optional<bool> enable_ipv4;
  std::optional<bool> enable_ipv6;
  std::map<std::string, value, std::less<>> extensions;
  friend bool operator==(const network&, const network&) = default;
};

struct volume {
  std::string name;  // on the engine
  std::string driver;
  text_map driver_opts;
  bool external = false;
  text_map labels;
  std::map<std::string, value, std::less<>> extensions;
  friend bool operator==(const volume&, const volume&) = default;
};

// A secret or a config: exactly one of file (absolute path), environment (name of a variable),
// content and external says where it comes from. `content` of an `environment` secret is the
// variable's value; it is never printed.
struct file_object {
  std::string name;
  std::string file;
  std::string environment;
  std::string content;
  bool unset = false;  // there is no such variable, which is not the same as an empty one
  bool external = false;
  text_map labels;
  std::string driver;
  text_map driver_opts;
  std::string template_driver;
  std::map<std::string, value, std::less<>> extensions;
  friend bool operator==(const file_object&, const file_object&) = default;
};

struct project {
  std::string name;
  std::string working_dir;  // absolute project directory
  text_list compose_files;  // absolute paths, in order
  text_list env_files;      // absolute paths given explicitly; empty for the default .env
  text_map environment;     // interpolation: the process's variables over those of the env files
  text_list profiles;       // active ones
  std::map<std::string, service, std::less<>> services;           // active
  std::map<std::string, service, std::less<>> disabled_services;  // profile off or not selected
  std::map<std::string, network, std::less<>> networks;
  std::map<std::string, volume, std::less<>> volumes;
  std::map<std::string, file_object, std::less<>> secrets;
  std::map<std::string, file_object, std::less<>> configs;
  std::optional<value> models;
  std::map<std::string, value, std::less<>> extensions;  // x- keys of the top level

  friend bool operator==(const project&, const project&) = default;
};

// Drops networks, volumes, secrets and configs that no active service uses, as docker compose
// does before `up` and in `config`.
void drop_unused_resources(project& p);

// Takes services of a `provider` out: they have no container. For `up`, not for `config`.
void drop_provided_services(project& p);

// Whether a container of the service is put on the project's default network although the service names none:
// its network_mode is empty. docker compose does so where another service has brought that network in.
bool joins_unnamed(const project& p, const service& s);

// Drops dependencies on services that are not active (they were `required: false`). docker
// compose does so before it hashes, labels and starts; `config` prints them.
void drop_inactive_dependencies(project& p);

}  // namespace difyd::compose
