// The verdict as the supervisor publishes it and difyd-health serves it: one small file
// under /run/difyd, replaced by rename.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "difyd/base/error.hpp"
#include "difyd/base/task.hpp"
#include "difyd/model/phase.hpp"

namespace difyd::front {

// The port that nginx publishes, answered by difyd-health while nginx is down.
struct maintenance_page {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;
  std::string health_path;  // answered 200 (the load balancer's check); empty: none
  std::string title;        // "Dify is being upgraded"
  std::string detail;       // the step, for people; no internals
  wall_time since{};        // when the downtime began
  int retry_after = 30;     // seconds
  std::string file;         // the operator's own page (HTML), empty: ours

  friend bool operator==(const maintenance_page&, const maintenance_page&) = default;
};

struct publication {
  verdict says;
  std::string listen;               // "address:port" of the health endpoints; empty: difyd-health's --listen
  int readyz_in_maintenance = 503;  // 200 when the page is shown through the load balancer
  std::chrono::milliseconds published{};        // boot_time() of the write: no clock step can age it
  std::optional<maintenance_page> maintenance;  // set: hold that port; not set: let it go
};

inline constexpr const char* default_verdict_path = "/run/difyd/verdict.json";
inline constexpr const char* default_status_path = "/run/difyd/status.json";

std::string to_json(const publication& value);
// Error "verdict-unreadable".
Result<publication> from_json(std::string_view text);

// Stamps and writes the file (0644), whole or not at all. Called by the supervisor's loop:
// a tmpfs, well under a millisecond.
Result<> publish(const std::string& path, publication value);
Result<publication> read_publication(const std::string& path);

// Supervisor: after publishing without `maintenance`, nginx may start once the port is free.
// Waits until it can be bound, or fails with "port-taken" at the deadline.
task<Result<>> wait_until_port_free(std::string address, std::uint16_t port, duration limit);

}  // namespace difyd::front
