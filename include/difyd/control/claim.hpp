// Who supervises a project on an engine: a name in the kernel's abstract socket namespace (unix(7)), so that
// it is found whatever listen.control says, and is gone with the process.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/http/endpoint.hpp"

namespace difyd::control {

struct claim_holder {
  int pid = 0;         // 0: not known
  unsigned uid = 0;    // of the process
  std::string socket;  // its control socket; empty where it does not say
};

class claim {
 public:
  // Takes the name. Error "already-supervised" where another process of this user or of root has it;
  // a stranger's claim is not believed, and nullopt is given.
  static Result<std::optional<claim>> take(asio::any_io_executor executor, const std::string& project,
                                           const http::endpoint& engine);
  // Tells who asks where the control socket is, until cancelled.
  task<void> answer(std::string control_socket);

 private:
  explicit claim(asio::local::stream_protocol::acceptor acceptor) : acceptor_(std::move(acceptor)) {}
  asio::local::stream_protocol::acceptor acceptor_;
};

// nullopt: nobody on this machine. Waits two seconds at most.
task<std::optional<claim_holder>> holder_of(std::string project, http::endpoint engine);

}  // namespace difyd::control
