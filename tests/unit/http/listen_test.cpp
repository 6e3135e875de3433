// Who may have a unix socket's path.
#include <fcntl.h>

#include "fixture.hpp"

using namespace difyd;
using namespace difyd::http;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat file{};
  REQUIRE(::lstat(path.c_str(), &file) == 0);
  return file.st_mode & 07777;
}

}  // namespace

TEST_CASE("a second server on the same path is refused, whatever the first one does") {
  served first(echo);
  asio::io_context loop;
  server second(loop.get_executor(), echo);
  const auto refused = second.listen(unix_listener{first.path});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "already-running");
  CHECK(refused.error().message == "cannot listen on " + first.path + ": another process answers there");
  raw_client client(first.path);
  client.say("GET /still HTTP/1.1\r\n\r\n");
  client.hear(first.loop, "GET /still");
  CHECK(client.heard.find("GET /still") != std::string::npos);
}

TEST_CASE("a stale socket is replaced, with the wanted mode") {
  scratch_folder folder;
  const std::string path = folder / "s.sock";
  {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    ::close(socket);
  }
  asio::io_context loop;
  server host(loop.get_executor(), echo);
  REQUIRE(host.listen(unix_listener{path, 0600, std::to_string(::getgid())}));
  CHECK(mode_of(path) == 0600);
  raw_client client(path);
  client.say("GET /new HTTP/1.1\r\n\r\n");
  client.hear(loop, "GET /new");
  CHECK(client.heard.find("GET /new") != std::string::npos);
  host.stop();
  run_task(loop, host.join());
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a server that ends leaves its successor's socket alone") {
  served first(echo);
  ::unlink(first.path.c_str());
  asio::io_context loop;
  server second(loop.get_executor(), echo);
  REQUIRE(second.listen(unix_listener{first.path}));
  first.server.stop();
  CHECK(std::filesystem::exists(first.path));
  second.stop();
  run_task(loop, second.join());
}

TEST_CASE("paths that cannot be listened on") {
  asio::io_context loop;
  scratch_folder folder;
  server host(loop.get_executor(), echo);
  const auto code = [&](const unix_listener& where) {
    const auto done = host.listen(where);
    return done ? std::string("success") : done.error().code;
  };
  const std::string file = folder / "file";
  ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  CHECK(code({file}) == "listen-failed");
  CHECK(std::filesystem::exists(file));
  CHECK(code({folder / "none/s.sock"}) == "listen-failed");
  CHECK(code({folder / std::string(120, 'x').c_str()}) != "success");
  CHECK(code({folder / "s.sock", 0660, "no-such-group-here"}) == "group-unknown");
  CHECK_FALSE(host.listen_tcp("localhost", 0));
  CHECK_FALSE(host.adopt(0));
}

TEST_CASE("a port that is taken is named") {
  asio::io_context loop;
  server first(loop.get_executor(), echo), second(loop.get_executor(), echo);
  REQUIRE(first.listen_tcp("127.0.0.1", 0));
  const auto taken = second.listen_tcp("127.0.0.1", first.port());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message ==
        "cannot listen on 127.0.0.1:" + std::to_string(first.port()) + ": Address already in use");
  first.stop();
  run_task(loop, first.join());
}
