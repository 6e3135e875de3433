// The mount of the storage root as a unit of systemd: its name, its text, and what is to be done about it
// (systemd.mount(5), systemd.unit(5) "String Escaping"; options of NFS: platform facts 4.2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/host/mounts.hpp"
#include "difyd/host/systemd.hpp"

namespace difyd::host {

// What the configuration wants to be mounted.
struct mount_wish {
  std::string point;    // the storage root
  std::string source;   // "10.0.0.2:/share", "/dev/disk/by-id/google-dify"
  std::string fstype;   // "nfs", "nfs4", "ext4", …
  std::string options;  // empty: default_mount_options

  bool nfs() const { return fstype == "nfs" || fstype == "nfs4"; }
};

// NFS: what Google recommends for Filestore. Never soft: that loses data silently (nfs(5)). "_netdev,nofail":
// ordered after the network, and a share that is away does not hold up the boot.
std::string default_mount_options(const mount_wish& wish);

// "srv-dify.mount"
std::string mount_unit_name(std::string_view path);

// Below /run: what difyd writes is gone with a reboot and made from the configuration anew, so that no stale
// unit mounts yesterday's share; and a unit of the same name in /etc, a human's, has precedence by itself.
std::string mount_unit_file(std::string_view path);

std::string mount_unit_text(const mount_wish& wish);

// Whether this is the file system that is wanted. An NFS mount has fstype nfs or nfs4, whichever was asked
// for. Sources that are devices are compared by what /dev/… links to.
bool is_wanted(const mount_wish& wish, const mount& found);

// A line of fstab(5).
struct fstab_entry {
  std::string source;
  std::string point;
  std::string fstype;
  std::string options;
};
std::vector<fstab_entry> parse_fstab(std::string_view text);

struct mount_facts {
  std::vector<mount> mounts;
  std::vector<fstab_entry> fstab;
  unit_state unit;                     // of the mount's unit
  std::optional<std::string> written;  // what is in mount_unit_file
  bool answers = true;                 // false: the right mount is there and hangs, or is stale
};

enum class mount_act {
  none,     // the right one is there
  start,    // nothing is mounted
  restart,  // detached first, lazily: what hangs cannot be unmounted otherwise
  refuse    // it is a human's to mend
};

struct mount_decision {
  mount_act act = mount_act::none;
  bool write = false;  // the unit's file first
  std::string cause;   // one sentence, for the event
  Error refusal;       // of refuse: "mount-unit-foreign", "mount-foreign"
};

// What is a human's is never overwritten: an entry of fstab, a unit elsewhere, another file system that is
// mounted there. One that says the same is used as it is.
mount_decision decide_mount(const mount_wish& wish, const mount_facts& facts);

}  // namespace difyd::host
