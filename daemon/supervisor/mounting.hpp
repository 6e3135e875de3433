// The mount of the storage root, where difyd manages it (storage.manage): made, and made again when it is
// missing or hangs. What is to be done is decided by host::decide_mount; systemd does it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "difyd/model/finding.hpp"
#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// 2 s after the first failure, doubled by each, at most a minute.
duration delay_after(int failed_mounts);

// What the newest findings ask for. Pure.
enum class mount_need {
  none,
  look,    // it answers again: containers may hold a mount that is dead
  mount,   // nothing, or another file system, is mounted
  remount  // it hangs here, a second mount answers, and it has lasted storage.remount_after; or it is stale
};
mount_need need_of(const std::vector<finding>& findings, bool dead_mounts, duration remount_after,
                   wall_time now);

// prove_storage; where that fails for want of the mount and difyd manages it, the mount is made and it is
// proven again. Attempts have a back-off: between them the error is the last one. Each is an event of
// `operation`. Errors: of prove_storage, decide_mount and host::systemd.
task<Result<>> have_storage(world& w, std::string operation);

// Stops the services whose containers hold a dead mount: what they write is lost, and what they wait for
// hangs. For who brings the stack up next. Errors: of the engine.
task<Result<>> let_go_of_dead_mounts(world& w, std::string operation);

// An operation of the director: mounts what `need` says, and then, where Dify serves, restarts the containers
// that hold a dead mount.
task<ended> mend_storage(world& w, std::string operation, mount_need need);

// Proposes to mend the storage as the findings ask for it; not while an upgrade runs, whose steps wait for
// the storage themselves.
task<void> keep_mount(world& w);

}  // namespace difyd::supervisor
