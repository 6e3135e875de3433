// Processes, of containers, that hold a mount of the storage that is dead: one that was detached while they
// had it goes on being theirs, whatever is mounted there by now (bind mounts of containers are private
// copies).
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "difyd/host/mount_unit.hpp"
#include "difyd/host/share.hpp"

namespace difyd::host {

struct held_mount {
  std::string point;   // as the process sees it
  std::string device;  // "0:52"
  bool other = false;  // not the file system that is mounted at the storage root now
};

// By place inside a container, the device of the file system on which its source on the host is now.
using device_of_place = std::map<std::string, std::string, std::less<>>;

// From a process's own table of mounts: those of the wished-for file system, and those whose source is now on
// another file system than they are (a folder that was there before something was mounted over it, another
// server's share). `now`: what is mounted at the storage root. Pure.
std::vector<held_mount> held_mounts(const std::vector<mount>& inside, const mount_wish& wish,
                                    const mount& now, const device_of_place& places);

// The proof that a process holds a dead mount, as a sentence about it; nullopt: it holds none. One of another
// file system than the present is dead; one of the same is looked at, through the helper, by way of
// /proc/PID/root, and is dead if it is stale (an export that was made anew is, below the same file system);
// one that is slow, or cannot be looked at, proves nothing. A process that is gone holds none.
task<std::optional<std::string>> dead_mount_of(std::int64_t pid, mount_wish wish, mount now,
                                               device_of_place places, share_options how);

}  // namespace difyd::host
