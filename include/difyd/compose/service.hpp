// One service of a resolved project: compose specification names, final values. What a
// container create request needs of it is in REFERENCE section 2.
#pragma once

#include <difyd/compose/deploy.hpp>
#include <difyd/compose/value.hpp>

namespace difyd::compose {

struct service {
  std::string name;  // the key under `services`
  text_list profiles;

  text_map annotations;
  std::optional<bool> attach;
  std::optional<build_config> build;
  std::optional<struct develop_config> develop;
  std::optional<struct blkio_config> blkio_config;
  text_list cap_add;
  text_list cap_drop;
  std::string cgroup_parent;
  std::string cgroup;
  std::int64_t cpu_count = 0;
  float cpu_percent = 0;
  std::int64_t cpu_period = 0;
  std::int64_t cpu_quota = 0;
  std::int64_t cpu_rt_period = 0;
  std::int64_t cpu_rt_runtime = 0;
  float cpus = 0;
  std::string cpuset;
  std::int64_t cpu_shares = 0;
  std::optional<text_list> command;  // unset = the image's; empty = explicitly none
  std::vector<file_reference> configs;
  std::string container_name;
  std::optional<struct credential_spec> credential_spec;
  std::map<std::string, dependency, std::less<>> depends_on;
  std::optional<deploy_config> deploy;
  text_list device_cgroup_rules;
  std::vector<device_mapping> devices;
  text_list dns;
  text_list dns_opt;
  text_list dns_search;
  std::string dockerfile;
  std::string domainname;
  std::optional<text_list> entrypoint;  // as command
  std::optional<value> provider;
  environment_map environment;               // env_file and the project's environment already merged in
  std::vector<env_file_reference> env_file;  // empty once its content is merged
  text_list expose;                          // "81" or "81/udp", verbatim
  text_list external_links;
  std::map<std::string, text_list, std::less<>> extra_hosts;  // host -> addresses
  text_list group_add;
  std::vector<device_request> gpus;
  std::string hostname;
  std::optional<health_check> healthcheck;
  std::string image;  // as written; empty with `build` means <project>-<service>
  std::optional<bool> init;
  std::string ipc;
  std::string isolation;
  text_map labels;
  text_list label_file;
  text_list links;
  std::optional<struct logging> logging;
  std::string log_driver;
  text_map log_opt;
  byte_count mem_limit = 0;
  byte_count mem_reservation = 0;
  byte_count memswap_limit = 0;
  byte_count mem_swappiness = 0;
  std::string mac_address;
  std::optional<value> models;
  std::string network_mode;
  // network key -> endpoint; nothing given there = nullopt
  std::map<std::string, std::optional<endpoint>, std::less<>> networks;
  bool oom_kill_disable = false;
  std::int64_t oom_score_adj = 0;
  std::string pid;
  std::int64_t pids_limit = 0;
  std::string platform;
  std::vector<service_port> ports;
  bool privileged = false;
  std::string pull_policy;
  bool read_only = false;
  std::string restart;
  std::string runtime;
  std::optional<int> scale;
  std::vector<file_reference> secrets;
  text_list security_opt;
  byte_count shm_size = 0;
  bool stdin_open = false;
  std::optional<duration> stop_grace_period;
  std::string stop_signal;
  text_map storage_opt;
  text_map sysctls;
  text_list tmpfs;  // "path[:options]"
  bool tty = false;
  std::map<std::string, ulimit, std::less<>> ulimits;
  bool use_api_socket = false;
  std::string user;
  std::string userns_mode;
  std::string uts;
  std::string volume_driver;
  std::vector<service_mount> volumes;
  text_list volumes_from;
  std::string working_dir;
  std::vector<service_hook> post_start;
  std::vector<service_hook> pre_stop;

  std::map<std::string, value, std::less<>> extensions;  // x- keys

  friend bool operator==(const service&, const service&) = default;
};

// Number of containers wanted: scale, else deploy.replicas, else 1.
int wanted_scale(const service& s);

// Keys of s.networks, the primary one first: highest priority, then key ascending.
std::vector<std::string> networks_by_priority(const service& s);

}  // namespace difyd::compose
