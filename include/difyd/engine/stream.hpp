// What the engine sends for as long as it likes. Each is owned by one coroutine; destroying it
// closes its connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/engine/event.hpp"
#include "difyd/engine/frame.hpp"
#include "difyd/http/client.hpp"

namespace difyd::engine {

using http::no_deadline;

class log_stream {
 public:
  struct state;
  log_stream();  // empty, only to be assigned to: Asio default-constructs results
  explicit log_stream(std::unique_ptr<state> of);
  log_stream(log_stream&&) noexcept;
  log_stream& operator=(log_stream&&) noexcept;
  ~log_stream();
  // nullopt at the end (the container ended, or all is read without follow).
  task<Result<std::optional<frame>>> next(duration idle = no_deadline);

 private:
  std::unique_ptr<state> state_;
};

class event_stream {
 public:
  struct state;
  event_stream();  // empty, only to be assigned to: Asio default-constructs results
  explicit event_stream(std::unique_ptr<state> of);
  event_stream(event_stream&&) noexcept;
  event_stream& operator=(event_stream&&) noexcept;
  ~event_stream();
  // nullopt when the engine ended the stream: reopen with `since`, and list everything again.
  task<Result<std::optional<event>>> next(duration idle = no_deadline);

 private:
  std::unique_ptr<state> state_;
};

// Attach and exec. One coroutine may read while another writes.
class attached_stream {
 public:
  struct state;
  attached_stream();  // empty, only to be assigned to: Asio default-constructs results
  explicit attached_stream(std::unique_ptr<state> of);
  attached_stream(attached_stream&&) noexcept;
  attached_stream& operator=(attached_stream&&) noexcept;
  ~attached_stream();
  task<Result<std::optional<frame>>> next(duration idle = no_deadline);
  task<Result<>> write(std::string bytes, duration deadline = std::chrono::seconds(30));
  void close_input();  // the process reads the end of its input

 private:
  std::unique_ptr<state> state_;
};

struct exit_status {
  int code = 0;
  std::string error;  // the engine's, of a wait that failed
};

// A wait that the engine has already registered: start the container, then take the result.
class exit_wait {
 public:
  struct state;
  exit_wait();  // empty, only to be assigned to: Asio default-constructs results
  explicit exit_wait(std::unique_ptr<state> of);
  exit_wait(exit_wait&&) noexcept;
  exit_wait& operator=(exit_wait&&) noexcept;
  ~exit_wait();
  task<Result<exit_status>> result(duration limit = no_deadline);

 private:
  std::unique_ptr<state> state_;
};

}  // namespace difyd::engine
