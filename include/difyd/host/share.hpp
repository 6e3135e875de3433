// The storage root, always through the exec'd helper: a hung NFS server must not hold
// difyd's loop, its ports or its shutdown (platform facts 0.6, 4.3).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/task.hpp"
#include "difyd/base/tree.hpp"

namespace difyd::host {

// What `probe` found out. Sizes in bytes, available to others than root.
struct share_state {
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_free = 0;
  std::uint64_t files_total = 0;  // 0 where the file system does not count inodes
  std::uint64_t files_free = 0;
  uid_t written_as = 0;  // the uid that really wrote: ours where we are not root
  std::string identity;  // content of .difyd/share-id, empty where there is none
  // Where something is mounted at the root: names of what lies in the folder under it, a few of them.
  std::vector<std::string> beneath{};
};

struct share_options {
  std::string root;                        // absolute path of the storage root
  std::string helper;                      // program; empty: default_helper()
  std::string lock_folder = "/run/difyd";  // local: one helper per root, corpses of killed ones included
  duration limit{std::chrono::seconds(5)};
};

// What a release needs on the storage before its containers start.
struct share_layout {
  std::string machine;  // who lays it out: machine_identity::unique()
  std::string seeds;    // local folder with what the bundle ships below volumes/; may not be there
  std::vector<std::string> folders;  // made where nothing has the name
  std::vector<std::string> owned;    // folders of the uid, made where they are not
  uid_t uid = 1001;
};

struct laid_out {
  std::vector<std::string> made;
  std::string busy;  // not empty: this owner of the lock may be at it, and nothing was done
};

// $DIFYD_HELPER, else difyd-helper beside the running program, else in DIFYD_LIBEXECDIR.
std::string default_helper();

// Every path is relative to the root and may not leave it. Calls queue: one helper at a
// time. A helper that hangs is killed at the deadline; while its corpse lives (state D),
// further calls fail at once with "share-hung" instead of piling up behind it.
//
// Errors: "share-hung", "share-missing", "share-read-only", "share-not-writable",
// "share-stale", "share-lying" (what was written reads back differently), "disk-full", "file-missing",
// "bad-path", "share-io", "helper-missing".
class share {
 public:
  explicit share(share_options options);
  const std::string& root() const;
  const share_options& options() const;

  // statfs, then write, fsync, rename, reading back and unlink of a small file as `uid` in the folder
  // .difyd/probe. As root, that folder is made and given to the uid.
  task<Result<share_state>> probe(uid_t uid);

  task<Result<std::string>> read(std::string path, std::size_t limit = 16u << 20);
  // Temporary file, fsync, rename, fsync of the folder; missing parent folders are made (0755).
  task<Result<>> write(std::string path, std::string bytes, mode_t mode);
  // Names of a folder, sorted; a folder's name ends in "/".
  task<Result<std::vector<std::string>>> list(std::string path);
  // Makes a folder and gives it owner and mode; one that exists is only given them.
  task<Result<>> make_folder(std::string path, uid_t uid, gid_t gid, mode_t mode);
  task<Result<>> remove(std::string path);  // a file; a missing one is no error

  // Seeds where a file is missing, folders, owners: each whole or not at all, under a lock that machines
  // share. `abandoned`: the owner of a lock whom the caller has seen not to move for long; he is not waited
  // for. Has twelve times the limit. Errors: "share-seeding" (another machine took the lock over meanwhile).
  task<Result<laid_out>> lay_out(share_layout what, std::string abandoned = {});

  // Gives everything below a folder to the uid; beside other calls, as it may take minutes. Gives how many
  // files were another's. Error "file-missing".
  task<Result<std::uint64_t>> own(std::string path, uid_t uid, duration time);

  // A folder (0700) with these files takes the place of what has its name: whole and durable, or not at
  // all. Has twelve times the limit.
  task<Result<>> write_tree(std::string path, std::vector<tree_file> files);
  // Its plain files, links not followed. Errors "file-missing", "file-too-large" (largest_tree).
  task<Result<std::vector<tree_file>>> read_tree(std::string path);
  task<Result<>> remove_tree(std::string path);  // a missing one is no error

 private:
  struct state;
  std::shared_ptr<state> state_;
};

// Mounts `source` once more, where nobody else sees it, tries as `uid` what probe() does, and leaves nothing
// behind (`difyd-helper second-mount`): what can be read and not written does not answer. For NFS it never
// waits long, whatever the options of the first mount, and shares no cache with it; the kernel may share the
// connection, which errs to the side of "neither answers", and so does one that still hangs when it is asked
// anew. Not for devices. Errors: "second-mount", "helper-missing", "deadline-exceeded", "share-hung".
task<Result<>> try_second_mount(std::string fstype, std::string source, std::string options, uid_t uid,
                                const share_options& how, duration limit = std::chrono::seconds(20));

// Addresses of a name (or the address itself), in the resolver's order. Name resolution
// cannot be cancelled inside a process, so it has one of its own. Error "name-unknown".
task<Result<std::vector<std::string>>> resolve(std::string name, duration limit = std::chrono::seconds(5),
                                               std::string helper = {});

}  // namespace difyd::host
