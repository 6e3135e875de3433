// Containers as the Docker Engine shows them (API 1.41 to 1.51, GET /containers/json and
// /containers/{id}/json).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace difyd::engine {

using string_map = std::map<std::string, std::string>;

struct port_binding {
  std::uint16_t container_port = 0;
  std::string protocol;  // tcp, udp, sctp
  std::string host_ip;   // empty where it is not published
  std::uint16_t host_port = 0;
};

struct mount {
  std::string type;  // bind volume tmpfs
  std::string name;  // of a volume
  std::string source;
  std::string destination;
  bool writable = true;
};

struct network_attachment {
  std::string network_id;
  std::string ip;
  std::string gateway;
  std::vector<std::string> aliases;
};

struct container_summary {
  std::string id;
  std::vector<std::string> names;  // without the leading slash
  std::string image;               // as given at create
  std::string image_id;
  std::string state;   // created running paused restarting removing exited dead
  std::string status;  // for people: "Up 2 minutes (healthy)"
  std::string command;
  string_map labels;
  std::int64_t created = 0;  // seconds since 1970
  std::vector<port_binding> ports;
  std::vector<mount> mounts;
  std::map<std::string, network_attachment> networks;

  const std::string& name() const;  // the first, or empty
};

struct health_state {
  std::string status;  // starting healthy unhealthy none; only "healthy" is healthy
  int failing_streak = 0;
  std::string last_output;
  std::optional<int> last_exit_code;
};

struct container_state {
  std::string status;
  bool running = false;
  bool paused = false;
  bool restarting = false;
  bool oom_killed = false;
  bool dead = false;
  int exit_code = 0;
  std::int64_t pid = 0;
  std::string error;       // the engine's, of a start that failed
  std::string started_at;  // RFC 3339 with nanoseconds; "" if never
  std::string finished_at;
  std::optional<health_state> health;  // absent without a health check
};

struct restart_policy {
  std::string name;  // no always unless-stopped on-failure; "" means no
  int maximum_retries = 0;
};

struct container {
  std::string id;
  std::string name;     // without the leading slash
  std::string created;  // RFC 3339
  std::string image_id;
  std::string image;  // Config.Image: the reference given at create
  string_map labels;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string user;
  std::string hostname;
  bool tty = false;
  bool open_stdin = false;
  std::string stop_signal;          // empty: SIGTERM
  std::optional<int> stop_timeout;  // seconds; absent: the engine's 10
  bool auto_remove = false;
  std::string network_mode;
  restart_policy restart;
  int restart_count = 0;
  container_state state;
  std::vector<mount> mounts;
  std::map<std::string, network_attachment> networks;
  std::vector<port_binding> ports;
  std::shared_ptr<const nlohmann::json> raw;  // the whole answer; include <nlohmann/json.hpp> to read it

  const std::string* label(const std::string& key) const;
};

}  // namespace difyd::engine
