// Client of the control socket.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "difyd/base/task.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::control {

// Errors: "daemon-not-running" (no socket, or nobody behind it), "daemon-denied" (no
// permission), "daemon-silent" (no answer in time, or none that is whole), and whatever the
// daemon answers.
class client {
 public:
  // `when_away` is the error where nobody answers; by default "daemon-not-running", with how to start it.
  explicit client(std::string socket, std::optional<Error> when_away = {})
      : socket_(std::move(socket)), when_away_(std::move(when_away)) {}

  task<Result<std::string>> get(std::string path, duration limit = std::chrono::seconds(30));
  task<Result<std::string>> post(std::string path, std::string json,
                                 duration limit = std::chrono::seconds(30));

  // Calls `seen` for each piece of a body as it comes, until its end. Error "daemon-gone" where it ends
  // early.
  task<Result<>> stream(std::string path, std::function<void(std::string_view)> seen);

  // Calls `seen` for each event after `since` (of one operation where it is named) until it
  // returns false. Error "daemon-gone" where the stream ends by itself.
  task<Result<>> follow(std::uint64_t since, std::string operation, std::function<bool(const event&)> seen);

 private:
  std::string socket_;
  std::optional<Error> when_away_;
};

}  // namespace difyd::control
