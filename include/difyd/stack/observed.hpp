// The project as it is on the engine, as plain values.
#pragma once

#include <difyd/compose/project.hpp>
#include <difyd/stack/create.hpp>
#include <memory>
#include <set>

namespace difyd::stack {

struct observed_endpoint {
  std::string network_id;
  std::string address;
  friend bool operator==(const observed_endpoint&, const observed_endpoint&) = default;
};

struct observed_mount {
  std::string type;    // bind, volume, tmpfs
  std::string name;    // of a volume
  std::string source;  // on the host
  std::string target;
  bool read_only = false;
  friend bool operator==(const observed_mount&, const observed_mount&) = default;
};

struct observed_port {
  std::string address;
  int published = 0;  // 0 = exposed only
  int target = 0;
  std::string protocol;
  friend bool operator==(const observed_port&, const observed_port&) = default;
};

struct observed_container {
  std::string id;
  std::string name;  // without the leading slash
  std::string service;
  int number = 0;
  bool one_off = false;
  std::string state;     // created, running, paused, restarting, removing, exited, dead
  std::string health;    // starting, healthy, unhealthy; empty = has no health check
  int exit_code = 0;     // of the last run, where it has ended
  std::string error;     // why the last start failed
  std::string image;     // reference it was created with
  std::string image_id;  // what it runs
  std::string command;
  std::string status;        // the engine's sentence, "Up 5 minutes (healthy)"
  std::int64_t created = 0;  // Unix seconds
  std::string started_at;    // RFC 3339, as the engine says
  std::string finished_at;
  bool oom_killed = false;      // of the last run: the kernel killed a process of it for want of memory
  bool logs_unbounded = false;  // its log driver writes to a file without a limit
  std::string restart_policy;   // no, always, unless-stopped, on-failure
  int stop_timeout = 10;        // seconds
  compose::text_map labels;
  std::map<std::string, observed_endpoint, std::less<>> networks;
  std::vector<observed_mount> mounts;
  std::vector<observed_port> ports;
  // Config and HostConfig as inspected; only where observe was asked for it.
  std::shared_ptr<const nlohmann::json> details;

  std::string label(std::string_view key) const;  // empty where there is none
  bool running() const { return state == "running"; }
};

struct observed_network {
  std::string id;
  std::string name;
  compose::text_map labels;
  // Running containers on it, id -> name; only of one that has another configuration than the project says.
  compose::text_map attached = {};
};

struct observed_volume {
  std::string name;
  compose::text_map labels;
};

struct observed_image {
  std::string id;
  std::set<std::string> volumes;  // VOLUME targets
  compose::text_list environment;
};

struct observed {
  std::string project;
  struct api_version api;
  std::vector<observed_container> containers;  // by name; one-offs included
  // By engine name: those of the project, and those that the project refers to.
  std::map<std::string, observed_network, std::less<>> networks;
  std::map<std::string, observed_volume, std::less<>> volumes;
  std::map<std::string, observed_image, std::less<>> images;  // by reference; absent = not on the engine
  std::set<std::string> missing_sources;                      // bind sources that are not there
  std::string
      installed_compose;  // version of the machine's docker compose, looked for where no container has one

  const observed_container* find(std::string_view id) const;
};

// The containers of one service by number, one-offs left out.
std::vector<const observed_container*> containers_of(const observed& o, std::string_view service);

// The dialect in which the project's containers were written: that of the newest container with a
// version label, else that of the machine's own docker compose, else the default.
dialect dialect_in_use(const observed& o);

// Bind sources of the active services that do not exist on this machine. Touches the disk: a
// caller whose sources may hang (NFS) asks for it elsewhere.
std::set<std::string> missing_bind_sources(const compose::project& p);

}  // namespace difyd::stack
