// What the parts of the client share: connections, and one request with its answer's header.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "difyd/http/client.hpp"
#include "parser.hpp"
#include "socket.hpp"

namespace difyd::http {

struct connection {
  stream_socket socket;
  std::string buffer;  // read, not yet parsed
  bool reused = false;
};

struct client::state {
  asio::any_io_executor executor;
  endpoint where;
  resolver names;
  std::vector<std::unique_ptr<connection>> idle;
};

using client_ptr = std::shared_ptr<client::state>;

// One request on its way: the connection and what has come back.
struct exchange {
  client_ptr owner;
  std::unique_ptr<connection> link;
  std::unique_ptr<parser> answer;
};

// Sends the request and reads the answer's header. A kept connection that turns out to be dead is
// replaced for GET and HEAD. `max_body` bounds the answer.
task<Result<exchange>> begin(client_ptr owner, request what, std::uint64_t max_body);

// Reads once from the connection and parses; at the end of the connection the parser is told.
task<Result<>> advance(exchange& of, bool stop_at_body = false);

// Gives the connection back for another request if it can be used again.
void finish(exchange& of);

// `what` fills "cannot ...: no answer within".
template <class T>
task<Result<T>> within(task<Result<T>> work, duration limit, std::string what) {
  if (limit == no_deadline) co_return co_await std::move(work);
  co_return co_await with_deadline(std::move(work), limit, std::move(what));
}

}  // namespace difyd::http
