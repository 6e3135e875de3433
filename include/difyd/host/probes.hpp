// Findings about what this machine gives the stack: storage, disks, memory. The judging
// halves are pure; the probing halves only measure and pass on.
#pragma once

#include <string>
#include <vector>

#include "difyd/host/machine.hpp"
#include "difyd/host/mounts.hpp"
#include "difyd/host/share.hpp"
#include "difyd/model/finding.hpp"

namespace difyd::host {

enum class storage_kind { local, nfs };

// What the configuration says about the storage root.
struct storage_expectation {
  storage_kind kind = storage_kind::local;
  std::string root;      // "/var/lib/dify/volumes"
  std::string server;    // nfs: "10.0.0.2"
  std::string exported;  // nfs: "/share"
  uid_t uid = 1001;      // Dify's, which must be able to write
};

// Subject "storage". An NFS root needs a mount with that source and an NFS file system, not
// just a mount point: systemd's ReadWritePaths= makes one out of the boot disk (facts 0.7).
// Codes: mount-present, mount-missing, mount-foreign, mount-read-only, storage-local.
finding judge_mount(const storage_expectation& expected, const std::vector<mount>& mounts);

// Subject "storage". Codes: storage-writable, storage-hung, storage-missing,
// storage-read-only, storage-not-writable, storage-full, storage-nearly-full, storage-failing.
finding judge_share(const storage_expectation& expected, const Result<share_state>& state);

// Subject "disk.<name>". Codes: disk-ok, disk-low, disk-full, inodes-low, inodes-full,
// disk-read-only. Only for the boot disk would a new VM help ("boot-disk-full", "boot-disk-read-only").
finding judge_disk(const std::string& name, bool boot_disk, const Result<disk_usage>& usage);

// Subject "memory". Codes: memory-ok, memory-low, memory-stalled.
finding judge_memory(const Result<memory_state>& memory);

// Subject "clock". Codes: clock-ok, clock-unsynchronised, clock-unknown.
finding judge_clock(const Result<clock_state>& clock);

// Mount and share. Bounded by the share's limit.
task<std::vector<finding>> probe_storage(share storage, storage_expectation expected);

// Disks and memory; `data_root` is the engine's (empty: not measured). System calls that do not wait.
std::vector<finding> probe_machine(const std::string& data_root);

// All of it for one machine.
task<std::vector<finding>> probe_host(share storage, storage_expectation expected, std::string data_root);

// Subject "metadata", on Google Compute Engine only. Codes: metadata-ok, metadata-away.
task<std::vector<finding>> probe_metadata();

}  // namespace difyd::host
