// Listening sockets: made, taken over, accepted from, removed.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/http/server.hpp"
#include "socket.hpp"

namespace difyd::http {

struct accepted {
  stream_socket socket;
  peer from;
};

class listener {
 public:
  // Takes ownership of a listening, non-blocking descriptor. `path` is the socket file to remove
  // at the end, empty for none.
  listener(const asio::any_io_executor& executor, int descriptor, std::string path = {});
  ~listener() { close(); }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  // The next connection; nullopt when this one went wrong and the next may be tried. Cancellation
  // and close() throw.
  task<std::optional<accepted>> accept();
  void close();
  std::uint16_t port() const;

 private:
  asio::posix::stream_descriptor socket_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A listening descriptor. Errors as server::listen.
Result<int> listen_unix(const unix_listener& where);
Result<int> listen_tcp_socket(const std::string& address, std::uint16_t port);

}  // namespace difyd::http
