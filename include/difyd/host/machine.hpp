// The machine itself: local disks, memory, identity. Nothing here touches the share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "difyd/base/error.hpp"

namespace difyd::host {

struct disk_usage {
  std::string path;
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_free = 0;   // available to others than root
  std::uint64_t files_total = 0;  // 0: not counted (btrfs)
  std::uint64_t files_free = 0;
  bool read_only = false;

  double bytes_free_percent() const;  // 100 for an unknown size
  double files_free_percent() const;
};

// statvfs of a local path. Error "file-io".
Result<disk_usage> measure_disk(const std::string& path);

struct memory_state {
  std::uint64_t total = 0;      // bytes
  std::uint64_t available = 0;  // bytes that can be had without swapping
  double stalled_percent = 0;   // /proc/pressure/memory, "full" of the last minute; 0 where not offered
};

memory_state parse_memory(std::string_view meminfo, std::string_view pressure);
Result<memory_state> measure_memory();

struct clock_state {
  bool synchronised = false;  // as the kernel was told by whoever keeps it (adjtimex(2))
  double error_seconds = 0;   // at most, as estimated
};

// Error "file-io".
Result<clock_state> measure_clock();

struct machine_identity {
  std::string machine_id;  // /etc/machine-id; survives a reboot, not a re-creation
  std::string boot_id;
  std::string host_name;
  std::string instance_id;  // the cloud's, empty where unknown

  // What tells this machine from the one that replaces it: the instance id (a repaired
  // instance keeps its name), else the machine id, else the boot id.
  const std::string& unique() const;
};

machine_identity identify_machine();

}  // namespace difyd::host
