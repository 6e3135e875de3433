#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "listener.hpp"

namespace difyd::http {
namespace {

constexpr int backlog = 512;
constexpr int socket_flags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

class owned_descriptor {
 public:
  explicit owned_descriptor(int number) : number_(number) {}
  owned_descriptor(const owned_descriptor&) = delete;
  owned_descriptor& operator=(const owned_descriptor&) = delete;
  ~owned_descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::unexpected<Error> failed(const std::string& where, const std::string& cause, std::string remedy = {}) {
  return fail("listen-failed", "cannot listen on " + where + ": " + cause, std::move(remedy));
}

Result<std::optional<gid_t>> group_of(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }))
    return static_cast<gid_t>(std::stoul(name));
  char buffer[4096];
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer, sizeof buffer, &found) != 0 || !found)
    return fail("group-unknown", "cannot give the socket to the group " + name + ": there is no such group",
                "Create it (groupadd --system " + name + ") or name another in the configuration");
  return found->gr_gid;
}

// Two daemons that start at the same moment must not both find the old socket stale: the folder is
// locked while one looks and replaces. Waits for at most a second.
Result<> lock_folder(int folder, const std::string& path) {
  for (int tries = 0; tries < 100; ++tries) {
    if (::flock(folder, LOCK_EX | LOCK_NB) == 0) return {};
    ::usleep(10'000);
  }
  return failed(path, "another process holds a lock on its folder");
}

// Whether a server answers there. Connecting to a unix socket does not wait for accept().
bool somebody_listens(const socket_address& address) {
  const owned_descriptor probe(::socket(AF_UNIX, socket_flags, 0));
  return ::connect(probe.get(), address.get(), address.length) == 0 || errno == EAGAIN ||
         errno == EINPROGRESS;
}

Result<> check_place(const std::string& path, const socket_address& address) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return {};
  if (!S_ISSOCK(file.st_mode)) return failed(path, "there is something else than a socket", "Remove it");
  if (!somebody_listens(address)) return {};
  return fail("already-running", "cannot listen on " + path + ": another process answers there",
              "End it first, or use another socket");
}

// Nobody can connect before listen(), so the mode is set in time.
Result<int> bind_there(const unix_listener& where, const socket_address& address,
                       std::optional<gid_t> owner) {
  owned_descriptor socket(::socket(AF_UNIX, socket_flags, 0));
  if (socket.get() < 0) return failed(where.path, std::strerror(errno));
  ::unlink(where.path.c_str());
  if (::bind(socket.get(), address.get(), address.length) != 0)
    return failed(where.path, std::strerror(errno));
  const bool done = (!owner || ::lchown(where.path.c_str(), static_cast<uid_t>(-1), *owner) == 0) &&
                    ::chmod(where.path.c_str(), where.mode) == 0 && ::listen(socket.get(), backlog) == 0;
  if (done) return socket.release();
  const int cause = errno;
  ::unlink(where.path.c_str());
  return failed(where.path, std::strerror(cause));
}

}  // namespace

Result<int> listen_unix(const unix_listener& where) {
  const auto address = unix_address(where.path);
  if (!address) return std::unexpected(address.error());
  const auto owner = group_of(where.group);
  if (!owner) return std::unexpected(owner.error());
  std::string parent = std::filesystem::path(where.path).parent_path();
  if (parent.empty()) parent = ".";
  const owned_descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return failed(where.path, "its folder: " + std::string(std::strerror(errno)));
  if (auto locked = lock_folder(folder.get(), where.path); !locked) return std::unexpected(locked.error());
  if (auto place = check_place(where.path, *address); !place) return std::unexpected(place.error());
  return bind_there(where, *address, *owner);
}

Result<int> listen_tcp_socket(const std::string& address, std::uint16_t port) {
  const std::string text = to_text(tcp_endpoint(address, port)).substr(std::string_view("tcp://").size());
  const auto place = numeric_address(address, port);
  if (!place) return failed(text, "\"" + address + "\" is not an IP address");
  owned_descriptor socket(::socket(place->family(), socket_flags, 0));
  const int on = 1;
  if (socket.get() < 0) return failed(text, std::strerror(errno));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket.get(), place->get(), place->length) == 0 && ::listen(socket.get(), backlog) == 0)
    return socket.release();
  const bool taken = errno == EADDRINUSE;
  return failed(text, std::strerror(errno),
                taken ? "See what uses the port: ss -ltnp 'sport = :" + std::to_string(port) + "'" : "");
}

}  // namespace difyd::http
