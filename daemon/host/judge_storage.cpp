#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/host/probes.hpp"

namespace difyd::host {
namespace {

constexpr double low_percent = 10;

finding storage(std::string code, severity level, std::string detail, std::string remedy = {}) {
  return {"storage", std::move(code), level, std::move(detail), std::move(remedy), false, {}};
}

std::string described(const mount& found) { return found.fstype + " " + found.source; }

finding judge_local(const storage_expectation& expected, const std::vector<mount>& mounts) {
  const mount* holder = mount_holding(mounts, expected.root);
  if (holder && holder->read_only())
    return storage(
        "mount-read-only", severity::critical,
        expected.root + " lies on a file system that is mounted read-only (" + described(*holder) + ")",
        "Mount " + holder->point + " read-write");
  return storage("storage-local", severity::ok, expected.root + " is a local folder");
}

std::string percent_text(double value) {
  return value < 10 ? std::to_string(value).substr(0, 3) + " %"
                    : std::to_string(static_cast<int>(value)) + " %";
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 100.0 : 100.0 * double(part) / double(whole);
}

std::string mount_remedy(const storage_expectation& expected, const mount_wish& wish) {
  if (expected.managed)
    return "difyd mounts it by itself; see why it is not: systemctl status " + mount_unit_name(wish.point);
  return "Mount it: mount -t " + wish.fstype + " " + wish.source + " " + wish.point +
         " (and add it to /etc/fstab), or let difyd do it: storage.manage: true";
}

// The helper's codes become the finding's.
std::string code_of(const Error& error) {
  constexpr std::pair<std::string_view, std::string_view> codes[] = {
      {"share-hung", "storage-hung"},
      {"share-stale", "storage-stale"},
      {"share-missing", "storage-missing"},
      {"share-read-only", "storage-read-only"},
      {"share-not-writable", "storage-not-writable"},
      {"share-lying", "storage-lying"},
      {"disk-full", "storage-full"},
  };
  const auto found = std::find_if(std::begin(codes), std::end(codes),
                                  [&](const auto& each) { return each.first == error.code; });
  return std::string(found == std::end(codes) ? "storage-failing" : found->second);
}

finding foreign_share(const storage_expectation& expected, const share_state& state) {
  const std::string had = "the storage at " + expected.root + " had the identity " + expected.identity;
  const char* remedy =
      "Mount the storage that was in use, or take the other one over on purpose: restart difyd and see difyd "
      "check";
  if (state.identity.empty())
    return storage(
        "storage-foreign", severity::critical,
        had + ", and what is there now has none (.difyd/share-id): it is another one, or was emptied",
        remedy);
  return storage("storage-foreign", severity::critical, had + ", and what is there now has " + state.identity,
                 remedy);
}

}  // namespace

mount_wish wish_of(const storage_expectation& expected) {
  if (expected.kind == storage_kind::nfs)
    return {expected.root, expected.server + ":" + expected.exported,
            expected.fstype.empty() ? "nfs" : expected.fstype, expected.options};
  return {expected.root, expected.source, expected.fstype, expected.options};
}

finding judge_mount(const storage_expectation& expected, const std::vector<mount>& mounts) {
  if (expected.kind == storage_kind::local) return judge_local(expected, mounts);
  const auto wish = wish_of(expected);
  const mount* found = find_mount(mounts, expected.root);
  if (!found)
    return storage("mount-missing", severity::critical, "nothing is mounted at " + expected.root,
                   mount_remedy(expected, wish));
  if (!is_wanted(wish, *found))
    return storage("mount-foreign", severity::critical,
                   expected.root + " holds " + described(*found) + " where " + wish.fstype + " " +
                       wish.source + " should be mounted",
                   expected.managed ? "Unmount it (umount " + expected.root +
                                          "), or correct storage in difyd's configuration"
                                    : mount_remedy(expected, wish));
  if (found->read_only())
    return storage("mount-read-only", severity::critical,
                   wish.source + " is mounted read-only at " + expected.root,
                   expected.kind == storage_kind::nfs
                       ? "Mount it read-write, and check the export's options on " + expected.server
                       : "Look for errors of the disk (journalctl -k), and mount it read-write");
  return storage("mount-present", severity::ok, described(*found) + " is mounted at " + expected.root);
}

finding judge_share(const storage_expectation& expected, const Result<share_state>& state) {
  if (!state)
    return storage(code_of(state.error()), severity::critical, state.error().message, state.error().remedy);
  if (!expected.identity.empty() && state->identity != expected.identity)
    return foreign_share(expected, *state);
  const auto remedy = "Enlarge the storage of " + expected.root + " or delete what is not needed";
  const double bytes = percent(state->bytes_free, state->bytes_total);
  const double files = percent(state->files_free, state->files_total);
  const std::string space = bytes_text(state->bytes_free) + " free (" + percent_text(bytes) + ")";
  if (bytes < low_percent || files < low_percent)
    return storage("storage-nearly-full", severity::warning,
                   expected.root + ": " + space + ", " + percent_text(files) + " of the inodes free", remedy);
  if (state->written_as != expected.uid)
    return storage("storage-writable", severity::info,
                   expected.root + " answers; writing was tried as uid " + std::to_string(state->written_as) +
                       ", not as " + std::to_string(expected.uid) + ", " + space,
                   "Run as root to try it as Dify does");
  return storage("storage-writable", severity::ok,
                 expected.root + " is writable by uid " + std::to_string(expected.uid) + ", " + space);
}

std::optional<finding> judge_beneath(const storage_expectation& expected, const share_state& state) {
  if (expected.kind == storage_kind::local || state.beneath.empty()) return std::nullopt;
  return finding{"storage.beneath",
                 "data-beneath",
                 severity::warning,
                 "under the mount at " + expected.root +
                     " lies what was written while it was not mounted: " + join(state.beneath, ", "),
                 "Look at it: mount --bind / /mnt, then /mnt" + expected.root +
                     "; move what is needed into the storage, and delete it there",
                 false,
                 {}};
}

finding judge_nfs_server(const storage_expectation& expected, const Result<>& connected) {
  const auto make = [&](std::string code, severity level, std::string detail, std::string remedy = {}) {
    return finding{"storage.server", std::move(code), level, std::move(detail), std::move(remedy), false, {}};
  };
  const std::string server = "the NFS server " + expected.server;
  if (connected) return make("server-answers", severity::info, server + " takes connections");
  const auto& error = connected.error();
  if (error.code == "name-unknown")
    return make("server-unknown", severity::error, error.message, error.remedy);
  if (error.code == "server-refuses")
    return make(
        "server-refuses", severity::error, server + " is there and NFS is not: " + error.message,
        "Start NFS on " + expected.server + "; a managed one: look at its state in the cloud's console");
  return make("server-silent", severity::error, server + " does not answer: " + error.message,
              "Is it up, and do routes and firewalls let port 2049 through?");
}

finding judge_second_mount(const Result<>& second) {
  const std::string detail = second ? "a second mount of the storage answers" : second.error().message;
  return {"storage.second-mount",
          second ? "second-mount-answers" : "second-mount-fails",
          severity::info,
          detail,
          {},
          false,
          {}};
}

finding judge_here(const storage_expectation& expected, finding broken, const Result<>& second) {
  const bool missing = broken.code == "mount-missing";
  if (!missing && broken.code != "storage-hung" && broken.code != "storage-stale") return broken;
  if (!second) {
    broken.detail += "; a second mount elsewhere fails as well: " + second.error().message;
    return broken;
  }
  broken.detail += "; a second mount of it answers";
  if (!expected.managed || expected.failed_remounts < remounts_before_help) return broken;
  broken.code = missing ? "mount-missing-here" : "mount-hung-here";
  broken.detail += ", and mounting it again failed " + std::to_string(expected.failed_remounts) + " times";
  broken.remedy =
      "Restart this machine, or have it replaced: the storage is well. See first: systemctl status " +
      mount_unit_name(expected.root);
  broken.new_vm_helps = true;
  return broken;
}

}  // namespace difyd::host
