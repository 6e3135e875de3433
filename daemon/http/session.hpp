// One connection of the server: requests in, answers out, until one side has enough.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "difyd/http/server.hpp"
#include "parser.hpp"
#include "socket.hpp"

namespace difyd::http {

struct session {
  stream_socket socket;
  peer from;
  std::string buffer;        // read, not yet parsed
  bool idle = true;          // waits for a request: stop() may close it
  bool reading = true;       // waits for the client: it may be closed for another one
  bool evicted = false;      // and was
  std::uint64_t served = 0;  // requests
  std::chrono::steady_clock::time_point used =
      std::chrono::steady_clock::now();  // accepted, or last answered
};

// What all sessions of a server share.
struct session_rules {
  handler answer;
  server_options options;
  bool stopping = false;
};

task<void> serve(std::shared_ptr<session> of, std::shared_ptr<session_rules> rules);

// Ends when the client has gone. What comes meanwhile is kept as the next request's beginning.
task<void> watch(session& of);

// Sends an answer, a stream's pieces included. False: the connection cannot be used any more.
task<bool> send_answer(session& of, const session_rules& rules, const response& what, std::string method,
                       int version, bool keep_alive);

// Runs `work` while the client is there; nullopt when it went first (the work is then cancelled).
task<std::optional<bool>> while_connected(session& of, task<bool> work);

}  // namespace difyd::http
