// What Prometheus is told beside the verdict. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "difyd/control/wire.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What grows while the daemon runs.
struct metric_counts {
  std::map<std::string, std::uint64_t> restarts;  // by service: started or made again to heal
  double unready_seconds = 0;                     // /readyz had no plain yes
  double cpu_seconds = 0;                         // of this process
  std::uint64_t resident_bytes = 0;
};

struct metric_facts {
  control::status status;
  std::vector<control::past_upgrade> history;  // oldest first
  std::vector<finding> findings;               // those that are well, too
  std::map<std::string, probe_run> probes;
  metric_counts counts;
  bool lease_held = false;
  wall_time started{};
  wall_time phase_since{};
  std::optional<wall_time> newest_backup;
};

// Bounded whatever happens: services and steps are a release's, findings are the first hundred.
std::string metrics_of(const metric_facts& facts);

}  // namespace difyd::supervisor
