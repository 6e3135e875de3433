// `deploy` and `build` of a service. Of `deploy` only resources, restart_policy and replicas
// reach a container (REFERENCE section 2); the rest is kept for the hash and for printing.
#pragma once

#include <difyd/compose/parts.hpp>

namespace difyd::compose {

struct generic_resource {
  std::string kind;
  std::int64_t value = 0;
  friend bool operator==(const generic_resource&, const generic_resource&) = default;
};

struct resource {
  float cpus = 0;  // number of CPUs
  byte_count memory = 0;
  std::int64_t pids = 0;
  std::vector<device_request> devices;
  std::vector<generic_resource> generic_resources;
  friend bool operator==(const resource&, const resource&) = default;
};

struct resources {
  std::optional<resource> limits;
  std::optional<resource> reservations;
  friend bool operator==(const resources&, const resources&) = default;
};

struct update_config {
  std::optional<std::uint64_t> parallelism;
  duration delay{};
  std::string failure_action;
  duration monitor{};
  float max_failure_ratio = 0;
  std::string order;
  friend bool operator==(const update_config&, const update_config&) = default;
};

struct restart_policy {
  std::string condition;  // none, on-failure, any
  std::optional<duration> delay;
  std::optional<std::uint64_t> max_attempts;
  std::optional<duration> window;
  friend bool operator==(const restart_policy&, const restart_policy&) = default;
};

struct placement {
  text_list constraints;
  text_list preferences;  // the "spread" of each
  std::uint64_t max_replicas_per_node = 0;
  friend bool operator==(const placement&, const placement&) = default;
};

struct deploy_config {
  std::string mode;
  std::optional<int> replicas;
  text_map labels;
  std::optional<struct update_config> update_config;
  std::optional<struct update_config> rollback_config;
  struct resources resources;
  std::optional<struct restart_policy> restart_policy;
  struct placement placement;
  std::string endpoint_mode;
  extension_list extensions;
  friend bool operator==(const deploy_config&, const deploy_config&) = default;
};

// difyd does not build images; kept so that `config` prints what docker compose prints.
struct build_config {
  std::string context;
  std::string dockerfile;
  std::string dockerfile_inline;
  text_list entitlements;
  environment_map args;
  std::string provenance;  // "true", "false" or an attestation's parameters; so is sbom
  std::string sbom;
  text_map ssh;
  text_map labels;
  text_list cache_from;
  text_list cache_to;
  bool no_cache = false;
  text_map additional_contexts;
  bool pull = false;
  std::map<std::string, text_list, std::less<>> extra_hosts;
  std::string isolation;
  std::string network;
  std::string target;
  std::vector<file_reference> secrets;
  byte_count shm_size = 0;
  text_list tags;
  std::map<std::string, ulimit, std::less<>> ulimits;
  text_list platforms;
  bool privileged = false;
  extension_list extensions;
  friend bool operator==(const build_config&, const build_config&) = default;
};

}  // namespace difyd::compose
