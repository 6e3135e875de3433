#include "beneath.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "difyd/base/text.hpp"

namespace difyd::host {
namespace {

struct cause_text {
  int cause;
  const char* code;
  const char* remedy;
};

constexpr cause_text causes[] = {
    {ENOENT, "file-missing", ""},
    {EROFS, "share-read-only", "Mount the storage read-write"},
    {EACCES, "share-not-writable",
     "Give Dify's uid 1001 the right to write (on NFS: no_root_squash, or chown there)"},
    {EPERM, "share-not-writable",
     "Give Dify's uid 1001 the right to write (on NFS: no_root_squash, or chown there)"},
    {ENOSPC, "disk-full", "Free space on the storage or enlarge it"},
    {EDQUOT, "disk-full", "Raise the quota of the storage"},
    {ESTALE, "share-stale", "The export was re-created: unmount and mount the storage again"},
    {EXDEV, "bad-path", "Remove the link that leads out of the storage"},
    {ELOOP, "bad-path", "Remove the link that leads out of the storage"},
};

}  // namespace

file_handle::~file_handle() {
  if (fd_ >= 0) ::close(fd_);
}

std::unexpected<Error> cannot(const std::string& what) {
  const int cause = errno;
  const std::string message = "cannot " + what + ": " + std::strerror(cause);
  for (const auto& each : causes)
    if (each.cause == cause) return fail(each.code, message, each.remedy);
  return fail("share-io", message);
}

Result<file_handle> open_root(const std::string& root) {
  file_handle handle(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle) return handle;
  if (errno == ENOENT || errno == ENOTDIR)
    return fail("share-missing", "cannot open the storage " + root + ": " + std::strerror(errno),
                "Create the folder or mount the storage there");
  return cannot("open the storage " + root);
}

Result<file_handle> open_beneath(const file_handle& root, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const std::string name = path.empty() ? "." : path;
  file_handle handle(static_cast<int>(::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof how)));
  if (!handle) return cannot("open " + name);
  return handle;
}

Result<file_handle> open_parent(const file_handle& root, const std::string& path) {
  std::string made;
  auto folder = open_beneath(root, "", O_RDONLY | O_DIRECTORY);
  auto parts = split(path, '/');
  parts.pop_back();
  for (const auto& part : parts) {
    if (part.empty() || part == ".") continue;
    if (!folder) break;
    if (::mkdirat(folder->get(), part.c_str(), 0755) != 0 && errno != EEXIST)
      return cannot("make the folder of " + path);
    made += made.empty() ? part : "/" + part;
    auto next = open_beneath(root, made, O_RDONLY | O_DIRECTORY);
    if (!next) return next;
    if (::fsync(folder->get()) != 0) return cannot("make the folder of " + path);
    folder.emplace(std::move(*next));
  }
  return folder;
}

Result<std::optional<file_handle>> parent_if_there(const file_handle& root, const std::string& path) {
  const auto slash = path.rfind('/');
  auto folder =
      open_beneath(root, slash == std::string::npos ? "" : path.substr(0, slash), O_RDONLY | O_DIRECTORY);
  if (folder) return std::optional(std::move(*folder));
  if (folder.error().code == "file-missing") return std::nullopt;
  return std::unexpected(folder.error());
}

Result<std::vector<std::string>> names_in(const file_handle& folder, const std::string& what) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(::dup(folder.get())), ::closedir);
  if (!stream) return cannot("list " + what);
  ::rewinddir(stream.get());
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get()))
    if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
  std::ranges::sort(names);
  return names;
}

std::string last_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<std::string> read_all(int fd, std::size_t limit, const std::string& what) {
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot("read " + what);
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
    if (bytes.size() > limit) return fail("file-too-large", "cannot read " + what + ": it is too large");
  }
}

Result<> replace_file(const file_handle& folder, const std::string& name, std::string_view bytes, mode_t mode,
                      sync_folder how) {
  const std::string temporary = "." + name + ".tmp-" + random_hex(8);
  const file_handle file(
      ::openat(folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return cannot("create " + name);
  bool good = ::fchmod(file.get(), mode) == 0;
  while (good && !bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    good = count >= 0;
    if (good) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  good = good && ::fsync(file.get()) == 0 &&
         ::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) == 0 &&
         (how == sync_folder::later || ::fsync(folder.get()) == 0);
  if (good) return {};
  auto error = cannot("write " + name);
  ::unlinkat(folder.get(), temporary.c_str(), 0);
  return error;
}

}  // namespace difyd::host
