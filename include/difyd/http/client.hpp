// HTTP/1.1 client for unix sockets and plain TCP. Connections are kept for reuse.
//
// Error codes: "socket-missing" (no such socket file), "permission-denied", "connection-refused",
// "host-unknown", "connection-failed" (any other way of not getting a connection), "connection-lost"
// (it ended in the middle of an exchange), "malformed-answer", "answer-too-large",
// "request-invalid" (line breaks in a header or target), "deadline-exceeded". Messages name the endpoint.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/http/endpoint.hpp"
#include "difyd/http/message.hpp"

namespace difyd::http {

// For waits that only end with the stream or by cancellation (a log that is followed).
inline constexpr duration no_deadline = duration::max();

struct send_options {
  duration deadline = std::chrono::seconds(30);  // for the whole exchange
  std::size_t max_body = 16u << 20;              // bytes of the answer
};

// An answer whose body is read as it comes. Destroying it closes the connection.
class body_stream {
 public:
  struct state;
  body_stream();  // empty, only to be assigned to: Asio default-constructs results
  explicit body_stream(std::unique_ptr<state> of);
  body_stream(body_stream&&) noexcept;
  body_stream& operator=(body_stream&&) noexcept;
  ~body_stream();

  const response& head() const;  // status and headers, no body
  // The next bytes, never empty; nullopt at the end of the body.
  task<Result<std::optional<std::string>>> read(duration deadline = no_deadline);
  // All that is left, for error bodies and other small answers.
  task<Result<std::string>> read_all(duration deadline, std::size_t limit = 1u << 20);

 private:
  std::unique_ptr<state> state_;
};

// What is left of a connection after an upgrade: bytes both ways. Reading and writing may
// be awaited at the same time by two coroutines.
class raw_stream {
 public:
  struct state;
  raw_stream();  // empty, only to be assigned to: Asio default-constructs results
  explicit raw_stream(std::unique_ptr<state> of);
  raw_stream(raw_stream&&) noexcept;
  raw_stream& operator=(raw_stream&&) noexcept;
  ~raw_stream();

  task<Result<std::optional<std::string>>> read(duration deadline = no_deadline);
  task<Result<>> write(std::string bytes, duration deadline);
  void close_write();  // the other side reads the end; reading goes on

 private:
  std::unique_ptr<state> state_;
};

// `stream` is empty when the server refused; `answer` then carries its body.
struct upgraded {
  response answer;
  std::optional<raw_stream> stream;
};

class client {
 public:
  client(asio::any_io_executor executor, endpoint where);
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  const endpoint& where() const;

  task<Result<response>> send(request what, send_options options = {});
  // Returns once the headers are there.
  task<Result<body_stream>> open(request what, duration header_deadline);
  // Sends "Connection: Upgrade, Upgrade: tcp"; 101 and 200 both count as done.
  task<Result<upgraded>> upgrade(request what, duration header_deadline);

  struct state;

 private:
  std::shared_ptr<state> state_;
};

}  // namespace difyd::http
