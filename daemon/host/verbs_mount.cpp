#include "verbs_mount.hpp"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "difyd/base/text.hpp"
#include "writing.hpp"

namespace difyd::host {
namespace {

constexpr std::size_t names_told = 5;

std::unexpected<Error> no_second_mount(const std::string& why) {
  return fail("second-mount", "cannot mount a second time: " + why);
}

std::unexpected<Error> no_second_mount_by_errno(const std::string& what) {
  return no_second_mount(what + ": " + std::strerror(errno));
}

std::unexpected<Error> does_not_answer(const Error& cause) {
  return fail("second-mount", "a second mount does not answer: " + cause.message);
}

// What mount(8) says goes to our standard error, and its last line into the answer.
Result<> run_mount(const std::vector<std::string>& arguments) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return no_second_mount_by_errno("pipe");
  const file_handle reader(ends[0]);
  file_handle writer(ends[1]);
  std::vector<char*> argv;
  for (const auto& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), 2);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), 1);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return no_second_mount(std::string("mount: ") + std::strerror(failed));
  { const file_handle closed(std::move(writer)); }
  const auto said = read_all(reader.get(), 1u << 20, "what mount says");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string text(said ? trim(*said) : std::string_view());
  return no_second_mount(text.empty() ? "mount(8) failed" : text.substr(text.rfind('\n') + 1));
}

// A file system that is mounted is not yet one that answers. A file may be mounted as well as a folder.
Result<> look_at(const std::string& path) {
  struct statvfs space {};
  const file_handle root(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!root) return cannot("open " + path);
  if (::fstatvfs(root.get(), &space) != 0) return cannot("measure " + path);
  struct stat info {};
  if (::fstat(root.get(), &info) != 0) return cannot("look at " + path);
  if (!S_ISDIR(info.st_mode)) return {};
  if (auto names = names_in(root, path); !names) return std::unexpected(std::move(names.error()));
  return {};
}

bool says_how_to_reach(const std::string& option) {
  constexpr std::string_view names[] = {
      "vers=",       "nfsvers=",   "minorversion=", "proto=", "port=",    "sec=",      "mountport=",
      "mountproto=", "mountvers=", "mountaddr=",    "tcp",    "resvport", "noresvport"};
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view name) {
    return name.ends_with('=') ? option.starts_with(name) : option == name;
  });
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

std::string second_mount_options(const std::string& fstype, const std::string& options) {
  if (fstype != "nfs" && fstype != "nfs4") return options.empty() ? "rw" : options + ",rw";
  std::string result = "rw,soft,timeo=50,retrans=1,retry=0,nosharecache";
  for (const auto& each : split(options, ','))
    if (says_how_to_reach(each)) result += "," + each;
  return result;
}

Result<std::string> second_mount_verb(const std::vector<std::string>& arguments, uid_t uid) {
  const auto &fstype = arguments[0], &source = arguments[1], &folder = arguments[3];
  if (::unshare(CLONE_NEWNS) != 0) return no_second_mount_by_errno("a namespace of mounts");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return no_second_mount_by_errno("a private namespace of mounts");
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return no_second_mount_by_errno(folder);
  const std::string options = second_mount_options(fstype, arguments[2]);
  if (auto mounted = run_mount({"mount", "-n", "-t", fstype, "-o", options, source, folder}); !mounted)
    return std::unexpected(std::move(mounted.error()));
  // A server whose disk is frozen, or that has just been started again, reads long before it writes.
  const auto root = open_root(folder);
  if (!root) return does_not_answer(root.error());
  if (auto tried = try_writing(*root, source, "second-mount", uid); !tried)
    return does_not_answer(tried.error());
  return std::string("{}");
}

Result<std::string> look_at_verb(const std::vector<std::string>& arguments) {
  if (auto looked = look_at(arguments[0]); !looked) return std::unexpected(std::move(looked.error()));
  return std::string("{}");
}

// A clone of the one mount that holds the parent folder shows what lies under others (open_tree(2), not
// recursive). The parent is a local folder; the mount itself is not touched by this.
std::vector<std::string> names_beneath(const std::string& path, const file_handle& root) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash + 1 == path.size()) return {};
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  const file_handle tree(static_cast<int>(
      ::syscall(SYS_open_tree, AT_FDCWD, parent.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
  if (!tree) return {};
  const file_handle under(
      ::openat(tree.get(), path.c_str() + slash + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat above {
  }, below{};
  if (!under || ::fstat(root.get(), &above) != 0 || ::fstat(under.get(), &below) != 0) return {};
  if (same_file(above, below)) return {};
  auto names = names_in(under, "the folder under the mount");
  if (!names) return {};
  std::erase(*names, "lost+found");
  if (names->size() > names_told) names->resize(names_told);
  return std::move(*names);
}

}  // namespace difyd::host
