// Findings about what this machine gives the stack: storage, disks, memory. The judging
// halves are pure; the probing halves only measure and pass on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/host/machine.hpp"
#include "difyd/host/mount_unit.hpp"
#include "difyd/host/mounts.hpp"
#include "difyd/host/share.hpp"
#include "difyd/model/finding.hpp"

namespace difyd::host {

enum class storage_kind { local, nfs, mount };

// What the configuration says about the storage root, and what the daemon knows of it.
struct storage_expectation {
  storage_kind kind = storage_kind::local;
  std::string root;         // "/var/lib/dify/volumes"
  std::string server;       // nfs: "10.0.0.2"
  std::string exported;     // nfs: "/share"
  uid_t uid = 1001;         // Dify's, which must be able to write
  std::string source{};     // mount: "/dev/disk/by-id/google-dify"
  std::string fstype{};     // mount: "ext4"; nfs: may be empty
  std::string options{};    // of the mount
  bool managed = false;     // difyd mends it
  std::string identity{};   // .difyd/share-id of the storage in use; empty: not known
  int failed_remounts = 0;  // in a row, of what is wrong now
};

mount_wish wish_of(const storage_expectation& expected);  // not for local

// Subject "storage". An NFS root needs a mount with that source and an NFS file system, not
// just a mount point: systemd's ReadWritePaths= makes one out of the boot disk (facts 0.7).
// Codes: mount-present, mount-missing, mount-foreign, mount-read-only, storage-local.
finding judge_mount(const storage_expectation& expected, const std::vector<mount>& mounts);

// Subject "storage". Codes: storage-writable, storage-hung, storage-stale, storage-missing,
// storage-read-only, storage-not-writable, storage-full, storage-nearly-full, storage-lying,
// storage-foreign (another share's identity, or none where there was one), storage-failing.
finding judge_share(const storage_expectation& expected, const Result<share_state>& state);

// Subject "storage.beneath", code data-beneath: what lies on the boot disk under the mount, written while it
// was not mounted. nullopt: nothing, or not known.
std::optional<finding> judge_beneath(const storage_expectation& expected, const share_state& state);

// Subject "storage.server", for NFS. Codes: server-answers, server-refuses, server-silent, server-unknown.
finding judge_nfs_server(const storage_expectation& expected, const Result<>& connected);

// Subject "storage.second-mount". Codes: second-mount-answers, second-mount-fails.
finding judge_second_mount(const Result<>& second);

// Whether the fault is this machine's: `broken` is judge_mount's or judge_share's, `second` whether another
// mount of the same source at a private path answers. Only where it does, and mounting again has failed here
// for remounts_before_help times, a new VM would help: codes mount-hung-here, mount-missing-here.
constexpr int remounts_before_help = 3;
finding judge_here(const storage_expectation& expected, finding broken, const Result<>& second);

// Subject "disk.<name>". Codes: disk-ok, disk-low, disk-full, inodes-low, inodes-full,
// disk-read-only. Only for the boot disk would a new VM help ("boot-disk-full", "boot-disk-read-only").
finding judge_disk(const std::string& name, bool boot_disk, const Result<disk_usage>& usage);

// Subject "memory". Codes: memory-ok, memory-low, memory-stalled.
finding judge_memory(const Result<memory_state>& memory);

// Subject "clock". Codes: clock-ok, clock-unsynchronised, clock-unknown.
finding judge_clock(const Result<clock_state>& clock);

// Disks and memory; `data_root` is the engine's (empty: not measured). System calls that do not wait.
std::vector<finding> probe_machine(const std::string& data_root);

// Everything about the storage. The server and a second mount are tried only where it does not answer.
task<std::vector<finding>> probe_storage(share storage, storage_expectation expected);

// All of it for one machine; `data_root` is the engine's (empty: not measured). Bounded by
// the share's limit, and 30 s more where the storage does not answer.
task<std::vector<finding>> probe_host(share storage, storage_expectation expected, std::string data_root);

// Subject "metadata", on Google Compute Engine only. Codes: metadata-ok, metadata-away.
task<std::vector<finding>> probe_metadata();

}  // namespace difyd::host
