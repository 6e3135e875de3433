#include "difyd/base/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "difyd/base/text.hpp"

namespace difyd {
namespace {

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> cannot(const char* verb, const std::string& path) {
  const int cause = errno;
  return fail(cause == ENOSPC ? "disk-full" : "file-io",
              std::string("cannot ") + verb + " " + path + ": " + std::strerror(cause),
              cause == ENOSPC ? "Free space on that file system" : "");
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

enum class durability { none, synced };

Result<> replace(const std::string& path, std::string_view bytes, mode_t mode, durability how) {
  const std::string temporary = path + ".tmp-" + random_hex(8);
  {
    const descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (file.get() < 0) return cannot("create", temporary);
    // fchmod: the mode asked for, whatever the umask.
    const bool written = ::fchmod(file.get(), mode) == 0 && write_all(file.get(), bytes) &&
                         (how == durability::none || ::fsync(file.get()) == 0);
    if (!written) {
      auto error = cannot("write", path);
      ::unlink(temporary.c_str());
      return error;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
  auto error = cannot("replace", path);
  ::unlink(temporary.c_str());
  return error;
}

}  // namespace

Result<> write_durably(const std::string& path, std::string_view bytes, mode_t mode) {
  if (auto replaced = replace(path, bytes, mode, durability::synced); !replaced) return replaced;
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return cannot("make durable", folder);
  return {};
}

Result<> replace_file(const std::string& path, std::string_view bytes, mode_t mode) {
  return replace(path, bytes, mode, durability::none);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return cannot("read", path);
  struct stat info {};
  if (::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return cannot("read", path);
  }
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot("read", path);
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
    if (bytes.size() > limit)
      return fail("file-too-large", "cannot read " + path + ": larger than " + bytes_text(limit));
  }
}

}  // namespace difyd
