// Units of systemd, through its D-Bus interface (org.freedesktop.systemd1(5)), on a lane: the library blocks.
// As root everything is allowed; others are refused unless a rule of polkit lets them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "difyd/base/task.hpp"

namespace difyd::host {

// In systemd's own words.
struct unit_state {
  std::string load;    // "loaded", "not-found", "masked", …
  std::string active;  // "active", "inactive", "failed", "activating", "deactivating", "reloading"
  std::string result;  // of its last run: "success", "exit-code", "timeout", …; "" where its type has none
  std::string file;    // what defines it; "" for a unit that only exists because something is mounted
  std::string source;  // of a mount unit: What=

  bool is_active() const { return active == "active"; }
};

// Every call connects anew, so a restart of systemd or of the bus costs nothing, and is bounded by its limit.
// Where the bus is away root talks to systemd directly, as systemctl does. Calls of one object queue.
//
// Errors: "systemd-missing" (another init: nothing is tried), "systemd-refused", "systemd-away",
// "unit-missing", "unit-failed" (its job did not end well), "deadline-exceeded", "lane-busy".
class systemd {
 public:
  explicit systemd(asio::any_io_executor executor);

  task<Result<unit_state>> state(std::string unit, duration limit = std::chrono::seconds(5));

  // Wait for the job's end. A unit that systemd gave up on, because it was started too often, is started all
  // the same: who calls has a budget of his own.
  task<Result<>> start(std::string unit, duration limit = std::chrono::seconds(100));
  task<Result<>> stop(std::string unit, duration limit = std::chrono::seconds(100));
  task<Result<>> restart(std::string unit, duration limit = std::chrono::seconds(100));

  // Reads the unit files again.
  task<Result<>> reload(duration limit = std::chrono::seconds(30));

 private:
  struct state_of_it;
  std::shared_ptr<state_of_it> state_;
};

}  // namespace difyd::host
