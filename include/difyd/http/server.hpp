// HTTP/1.1 server on unix sockets, TCP ports and inherited descriptors.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/http/message.hpp"

namespace difyd::http {

struct credentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct peer {
  std::string address;                  // "192.0.2.1:51234"; "unix" for a unix socket
  std::optional<credentials> identity;  // SO_PEERCRED, unix sockets only
};

// Runs in the connection's coroutine. The references live as long as the handler's coroutine.
// It is cancelled when the client disconnects or the server stops; an exception becomes 500.
using handler = std::function<task<response>(const request&, const peer&)>;

struct server_options {
  std::size_t max_header = 8u << 10;  // bytes of request line and headers; beyond: 431
  std::size_t max_body = 64u << 10;   // beyond: 413
  std::size_t max_connections = 256;  // beyond: the newest is closed at once, or room is made
  duration header_deadline = std::chrono::seconds(5);  // from the first byte to the last of the header
  duration body_deadline = std::chrono::seconds(10);
  duration idle_timeout = std::chrono::seconds(30);    // between requests of one connection
  duration write_deadline = std::chrono::seconds(10);  // per answer, or per piece of a stream
  // For a newcomer beyond max_connections one is closed that waits for its client: the one that has asked
  // the least so far, and of those the one that asked last the longest ago.
  bool make_room = false;
  // The handler never waits: it is not watched for a client that leaves, so that one that has only
  // closed its sending side has its answer, and it is given requests whose body has not come. Such a
  // body is not read: the connection ends with the answer.
  bool at_once = false;
};

struct unix_listener {
  std::string path;
  mode_t mode = 0660;
  std::string group = {};  // name or number; empty: the process's own
};

// One thread: everything runs on the executor. The owner calls stop() and then awaits join()
// before the server is destroyed.
class server {
 public:
  server(asio::any_io_executor executor, handler answer, server_options options = {});
  server(const server&) = delete;
  server& operator=(const server&) = delete;
  ~server();

  // Each starts to accept at once. May be called several times, for several sockets.
  // Errors: "already-running" (a live server answers on the path), "listen-failed", "group-unknown".
  // A stale socket file is replaced; anything else at the path is refused.
  Result<> listen(const unix_listener& where);
  // An address, not a name: "0.0.0.0", "::", "127.0.0.1". Port 0 takes a free one (see port()).
  Result<> listen_tcp(const std::string& address, std::uint16_t port);
  // Takes over a listening socket (systemd's); it is closed at the end, its file is not removed.
  Result<> adopt(int descriptor);

  std::uint16_t port() const;  // of the last listen_tcp
  std::size_t connections() const;

  // Closes the listeners and removes the socket files that are still its own; idle connections
  // are closed, requests in work may finish.
  void stop();
  // Waits for the connections to end; after `grace` they are cancelled.
  task<void> join(duration grace = std::chrono::seconds(2));

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace difyd::http
