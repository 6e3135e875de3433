#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <difyd/compose/load.hpp>

extern char** environ;

namespace difyd::compose {
namespace {

constexpr std::size_t largest = std::size_t{16} << 20;

struct descriptor {
  int fd;
  explicit descriptor(int number) : fd(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd > STDIN_FILENO) ::close(fd);
  }
};

std::unexpected<Error> unreadable(const std::string& path, const std::string& why) {
  return fail("file-unreadable", "cannot read " + path + ": " + why);
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const auto n = ::read(fd, part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path, std::strerror(errno));
    if (n == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(n));
    if (text.size() > largest) return unreadable(path, "larger than 16 MiB");
  }
}

}  // namespace

Result<std::string> disk_reader::read_file(const std::string& path) const {
  if (path == "-") return read_all(STDIN_FILENO, "standard input");
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return fail("file-not-found", "cannot read " + path + ": no such file or directory");
  if (file.fd < 0) return unreadable(path, std::strerror(errno));
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return unreadable(path, std::strerror(errno));
  if (S_ISDIR(info.st_mode)) return unreadable(path, "it is a directory");
  if (path == "/dev/null") return std::string();
  if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) return unreadable(path, "it is not a regular file");
  return read_all(file.fd, path);
}

bool disk_reader::exists(const std::string& path) const {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode);
}

source source_of_this_process() {
  source from;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view line(*entry);
    const auto equals = line.find('=');
    if (equals != std::string_view::npos && equals > 0)
      from.environment.emplace(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  }
  std::string folder(4096, '\0');
  if (::getcwd(folder.data(), folder.size())) folder.resize(std::strlen(folder.c_str()));
  from.cwd = folder.empty() || folder[0] != '/' ? "/" : folder;
  from.environment.try_emplace("PWD", from.cwd);  // a unit of systemd has none, and files may name it
  return from;
}

}  // namespace difyd::compose
