// The parts of a service: ports, mounts, endpoints, health check, limits. Plain values with
// the names of the compose specification; short forms are already expanded, numbers cast,
// paths absolute. An empty string or list means "not given" unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <difyd/compose/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace difyd::compose {

using text_list = std::vector<std::string>;
using text_map = std::map<std::string, std::string, std::less<>>;  // bytewise order
// A key without a value removes a variable of the image (REFERENCE 1.11).
using environment_map = std::map<std::string, std::optional<std::string>, std::less<>>;
using duration = std::chrono::nanoseconds;
using byte_count = std::int64_t;  // -1 = unlimited, where the engine knows that

// x- keys of a part; they are for people, and printed as YAML only.
using extension_list = std::vector<std::pair<std::string, value>>;

struct service_port {
  std::string name;
  std::string mode;     // "ingress" unless the file says otherwise
  std::string host_ip;  // empty = all addresses
  std::uint32_t target = 0;
  std::string published;  // a number, a range "9000-9002", or empty = the engine picks
  std::string protocol;   // "tcp" unless the file says otherwise
  std::string app_protocol;
  extension_list extensions;
  friend bool operator==(const service_port&, const service_port&) = default;
};

struct bind_options {
  std::string selinux;  // "z", "Z" or empty
  std::string propagation;
  bool create_host_path = false;
  std::string recursive;
  friend bool operator==(const bind_options&, const bind_options&) = default;
};

struct volume_options {
  text_map labels;
  bool nocopy = false;
  std::string subpath;
  friend bool operator==(const volume_options&, const volume_options&) = default;
};

struct tmpfs_options {
  byte_count size = 0;
  std::uint32_t mode = 0;
  friend bool operator==(const tmpfs_options&, const tmpfs_options&) = default;
};

struct image_options {
  std::string subpath;
  friend bool operator==(const image_options&, const image_options&) = default;
};

struct service_mount {
  std::string type;    // bind, volume, tmpfs, npipe, cluster, image
  std::string source;  // bind: absolute path; volume: key in project.volumes; empty = anonymous
  std::string target;
  bool read_only = false;
  std::string consistency;
  std::optional<bind_options> bind;
  std::optional<volume_options> volume;
  std::optional<tmpfs_options> tmpfs;
  std::optional<image_options> image;
  extension_list extensions;
  friend bool operator==(const service_mount&, const service_mount&) = default;
};

// What a service asks of one of its networks.
struct endpoint {
  text_list aliases;
  text_map driver_opts;
  int gw_priority = 0;
  std::string interface_name;
  std::string ipv4_address;
  std::string ipv6_address;
  text_list link_local_ips;
  std::string mac_address;
  int priority = 0;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

struct dependency {
  // service_started, service_healthy or service_completed_successfully
  std::string condition;
  bool restart = false;
  bool required = true;
  friend bool operator==(const dependency&, const dependency&) = default;
};

struct health_check {
  text_list test;  // starts with CMD, CMD-SHELL or NONE; empty = the image's
  std::optional<duration> timeout;
  std::optional<duration> interval;
  std::optional<std::uint64_t> retries;
  std::optional<duration> start_period;
  std::optional<duration> start_interval;
  bool disable = false;
  extension_list extensions;
  friend bool operator==(const health_check&, const health_check&) = default;
};

// `single` sets both limits; it is 0 where soft and hard were given.
struct ulimit {
  std::int64_t single = 0;
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  friend bool operator==(const ulimit&, const ulimit&) = default;
};

struct logging {
  std::string driver;
  text_map options;
  extension_list extensions;
  friend bool operator==(const logging&, const logging&) = default;
};

struct device_mapping {
  std::string source;
  std::string target;
  std::string permissions;  // "rwm" by default
  friend bool operator==(const device_mapping&, const device_mapping&) = default;
};

struct device_request {
  text_list capabilities;
  std::string driver;
  std::int64_t count = 0;  // -1 = all
  text_list device_ids;
  text_map options;
  friend bool operator==(const device_request&, const device_request&) = default;
};

// A secret or config as a service uses it; `source` is the key in the project.
struct file_reference {
  std::string source;
  std::string target;
  std::string uid;
  std::string gid;
  std::optional<std::int64_t> mode;
  friend bool operator==(const file_reference&, const file_reference&) = default;
};

struct env_file_reference {
  std::string path;
  bool required = true;
  std::string format;
  friend bool operator==(const env_file_reference&, const env_file_reference&) = default;
};

struct credential_spec {
  std::string config;
  std::string file;
  std::string registry;
  friend bool operator==(const credential_spec&, const credential_spec&) = default;
};

struct weight_device {
  std::string path;
  std::uint16_t weight = 0;
  friend bool operator==(const weight_device&, const weight_device&) = default;
};

struct throttle_device {
  std::string path;
  byte_count rate = 0;
  friend bool operator==(const throttle_device&, const throttle_device&) = default;
};

struct blkio_config {
  std::uint16_t weight = 0;
  std::vector<struct weight_device> weight_device;
  std::vector<throttle_device> device_read_bps;
  std::vector<throttle_device> device_read_iops;
  std::vector<throttle_device> device_write_bps;
  std::vector<throttle_device> device_write_iops;
  friend bool operator==(const blkio_config&, const blkio_config&) = default;
};

struct service_hook {
  std::optional<text_list> command;
  std::string user;
  bool privileged = false;
  std::string working_dir;
  environment_map environment;
  friend bool operator==(const service_hook&, const service_hook&) = default;
};

struct watch_rule {
  std::string path;
  std::string action;
  std::string target;
  service_hook exec;
  text_list include;
  text_list ignore;
  bool initial_sync = false;
  friend bool operator==(const watch_rule&, const watch_rule&) = default;
};

struct develop_config {
  std::vector<watch_rule> watch;
  friend bool operator==(const develop_config&, const develop_config&) = default;
};

}  // namespace difyd::compose
