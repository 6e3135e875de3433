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

// Why Dify is down, as far as visitors are told.
enum class situation {
  starting,
  upgrading,
  going_back,    // an upgrade was given up, the version of before comes up again
  held,          // an operator has to decide
  restoring,     // a backup is put back
  restore_held,  // and an operator has to decide how that goes on
  stopped,       // by `difyd down`
  closed         // by `difyd maintenance on`: Dify runs behind the page
};

std::string_view to_text(situation value);  // "going-back"

// The port that nginx publishes, answered by difyd-health while nginx is down. No versions, no
// internals: anybody may read it.
struct maintenance_page {
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;
  std::string health_path;  // answered 200 (the load balancer's check); empty: none
  situation why = situation::starting;
  std::string step;                        // of an upgrade or a restore that is under way; empty: none
  std::chrono::milliseconds step_boot{};   // boot_time() at which it began; 0: not known
  std::string reason;                      // the operator's own words; may be empty
  wall_time since{};                       // when the downtime began
  std::chrono::milliseconds since_boot{};  // the same as boot_time(): no clock step can stretch it
  int retry_after = 30;                    // seconds
  std::string file;                        // the operator's own page (HTML), empty: ours

  friend bool operator==(const maintenance_page&, const maintenance_page&) = default;
};

struct publication {
  verdict says;
  std::string listen;               // "address:port" of the health endpoints; empty: difyd-health's --listen
  int readyz_in_maintenance = 503;  // 200 when the page is shown through the load balancer
  bool status_for_all = false;      // /status is answered to everybody, not only to this machine
  std::chrono::milliseconds published{};        // boot_time() of the write: no clock step can age it
  std::optional<maintenance_page> maintenance;  // set: hold that port; not set: let it go
};

inline constexpr const char* default_verdict_path = "/run/difyd/verdict.json";

// What else is published in the folder of the verdict, each replaced whole, 0644, without secrets.
// difyd-health serves them as they are, and adds only how old the verdict is.
inline constexpr std::string_view status_file = "status.json";  // an object
inline constexpr std::string_view status_page_file = "status.html";
inline constexpr std::string_view metrics_file = "metrics.prom";  // Prometheus' text format
inline constexpr std::string_view own_page_file = "page.html";    // the operator's maintenance page

// Where the page for browsers has the age of the verdict written in.
inline constexpr std::string_view age_mark = "<!--age-->";
// The largest operator's page that is published.
inline constexpr std::size_t largest_own_page = 256u << 10;
// The supervisor publishes every two seconds; a verdict that is older is told to be.
inline constexpr std::chrono::seconds stale_after{10};

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
