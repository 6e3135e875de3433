// What a start waits for, and why, as people see it who watch.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace difyd::supervisor {

struct awaited {
  std::string service;
  std::string why;  // "its health check fails"
  friend bool operator==(const awaited&, const awaited&) = default;
};

// What is waited for now; `for_what` empty: nothing.
struct waiting {
  std::string operation;  // whose wait it is
  std::vector<awaited> for_what;
  std::chrono::steady_clock::time_point since{};
  std::chrono::milliseconds limit{};
};

// "its health check fails (3 of 60 s)"; of several services "api: ...; web: ... (3 of 60 s)". Empty
// where nothing is waited for.
std::string reason_text(const waiting& now, std::chrono::steady_clock::time_point at);
// "waiting for api: its health check fails (3 of 60 s)"
std::string waiting_text(const waiting& now, std::chrono::steady_clock::time_point at);
// "api", "api, web", "api, web and 2 more"
std::string services_text(const waiting& now);

// Out of the executor's "waiting for redis (service_healthy)".
awaited awaited_of(const std::string& progress);

// Sets a wait while it lives.
class wait_scope {
 public:
  wait_scope(waiting& where, std::string operation, std::chrono::milliseconds limit) : where_(where) {
    where_ = {std::move(operation), {}, std::chrono::steady_clock::now(), limit};
  }
  wait_scope(const wait_scope&) = delete;
  wait_scope& operator=(const wait_scope&) = delete;
  ~wait_scope() { where_ = {}; }
  void set(std::vector<awaited> for_what) { where_.for_what = std::move(for_what); }

 private:
  waiting& where_;
};

// Decides when a wait is told as an event: only what is new, at most every two seconds, and nothing
// of what passes within the first.
class wait_teller {
 public:
  bool worth_telling(const waiting& now, std::chrono::steady_clock::time_point at);

 private:
  std::vector<awaited> told_;
  std::chrono::steady_clock::time_point told_at_{};
};

}  // namespace difyd::supervisor
