// Networks, volumes and the engine itself (API 1.41 to 1.51).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "difyd/engine/container.hpp"

namespace difyd::engine {

struct subnet {
  std::string range;  // 172.18.0.0/16
  std::string gateway;
};

struct network {
  std::string id;
  std::string name;
  std::string created;
  std::string driver;
  std::string scope;
  bool internal = false;
  bool attachable = false;
  bool ipv6 = false;
  string_map labels;
  string_map options;
  std::vector<subnet> subnets;
  std::map<std::string, std::string> containers;  // id -> name; inspect only, running containers only
  std::shared_ptr<const nlohmann::json> raw;
};

struct volume {
  std::string name;
  std::string driver;
  std::string mountpoint;
  std::string created;
  std::string scope;
  string_map labels;
  string_map options;
};

struct engine_info {
  std::string name;
  std::string server_version;
  std::string data_root;
  std::string storage_driver;
  std::string cgroup_version;  // "1" or "2"
  std::string cgroup_driver;
  std::string operating_system;
  std::string kernel;
  std::string architecture;
  int cpus = 0;
  std::int64_t memory = 0;  // bytes
  int containers_running = 0;
  bool live_restore = false;
  std::vector<std::string> security_options;
  std::vector<std::string> warnings;
};

struct engine_version {
  std::string server;      // "20.10.24+dfsg1"
  std::string api;         // negotiated: what the paths carry, "1.41"
  std::string server_api;  // the newest that the engine speaks
};

}  // namespace difyd::engine
