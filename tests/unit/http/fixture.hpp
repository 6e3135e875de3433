// A server on a unix socket of its own, and sockets that speak to it byte by byte.
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "catch.hpp"
#include "difyd/http/client.hpp"
#include "difyd/http/server.hpp"
#include "run_task.hpp"

namespace difyd::http {

using namespace std::chrono_literals;

class scratch_folder {
 public:
  scratch_folder() {
    char name[] = "/tmp/difyd-http-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A client that says exactly what it is told to.
class raw_client {
 public:
  explicit raw_client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~raw_client() { close(); }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  void say(const std::string& text) { REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) > 0); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void end_of_input() { ::shutdown(socket_, SHUT_WR); }
  bool ended() const { return ended_; }

  // Runs the loop until `enough` is in what was received, or the connection ends, or ten seconds.
  const std::string& hear(asio::io_context& loop, const std::string& enough) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (heard.find(enough) == std::string::npos && !ended_ && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_one_for(5ms);
      char buffer[4096];
      const ssize_t count = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (count > 0) heard.append(buffer, static_cast<std::size_t>(count));
      ended_ = count == 0 || (count < 0 && errno != EAGAIN);
    }
    return heard;
  }
  void wait_for_end(asio::io_context& loop) {
    hear(loop, "\1never\1");
    CHECK(ended_);
  }

  std::string heard;

 private:
  int socket_;
  bool ended_ = false;
};

// Runs the loop until the condition holds or ten seconds are over.
template <class Condition>
bool eventually(asio::io_context& loop, Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + 10s;
  while (!condition() && std::chrono::steady_clock::now() < limit) {
    loop.restart();
    loop.run_one_for(5ms);
  }
  return condition();
}

struct served {
  explicit served(handler answer, server_options options = {})
      : path(folder / "s.sock"), server(loop.get_executor(), std::move(answer), options) {
    REQUIRE(server.listen(unix_listener{path}));
  }
  ~served() {
    server.stop();
    run_task(loop, server.join(50ms));
  }

  asio::io_context loop;
  scratch_folder folder;
  std::string path;
  http::server server;
};

inline task<response> echo(const request& what, const peer&) {
  co_return text_response(200, what.method + " " + what.target + " " + what.body);
}

}  // namespace difyd::http
