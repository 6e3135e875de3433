// The on-demand backup of a Cloud SQL instance as a decision per answer of the Admin API (platform
// facts 3.6): what to ask next, how long to wait first, or how it ended. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "difyd/base/clock.hpp"
#include "difyd/base/error.hpp"

namespace difyd::supervisor {

// "project:instance", or "project:region:instance" as Google calls the connection name.
struct cloud_instance {
  std::string project;
  std::string name;
  friend bool operator==(const cloud_instance&, const cloud_instance&) = default;
};

// Error "config-invalid".
Result<cloud_instance> parse_instance(const std::string& text);
std::string name_of(const cloud_instance& instance);

struct cloud_answer {
  int status = 0;    // 0: none came
  std::string body;  // where none came, why
};

// The successful backup that the API calls a run.
struct cloud_run {
  std::string instance;  // project:instance
  std::string id;        // an int64, which the API sends as text
  std::string ended;     // RFC 3339, the API's clock
  friend bool operator==(const cloud_run&, const cloud_run&) = default;
};

class cloud_backup {
 public:
  using clock = std::chrono::steady_clock;

  // `description` names the upgrade: one that was begun before a crash is found again by it.
  cloud_backup(cloud_instance instance, std::string description, clock::time_point begun,
               std::chrono::seconds limit);

  struct request {
    std::string method;  // GET, POST
    std::string path;    // below the API's root
    std::string body;
    std::chrono::seconds wait{};  // before it is sent
  };
  enum class state { asking, done, failed };

  state at() const { return state_; }
  request next() const;
  void answer(const cloud_answer& got, clock::time_point now);

  const cloud_run& run() const { return run_; }  // done
  const Error& error() const { return error_; }  // failed
  // One sentence for whoever waits; empty where nothing is new.
  std::string news();

 private:
  enum class asks { runs, insert, operation, run };

  void failed(std::string code, std::string cause, std::string remedy = {});
  void later(std::chrono::seconds wait, asks what, std::string news = {});
  void refused(const cloud_answer& got, clock::time_point now);
  void read_runs(const cloud_answer& got);
  void read_operation(const cloud_answer& got);
  void read_run(const cloud_answer& got);
  std::string root() const;

  cloud_instance instance_;
  std::string description_;
  clock::time_point deadline_;
  std::chrono::seconds limit_;
  state state_ = state::asking;
  asks asks_ = asks::runs;
  std::chrono::seconds wait_{0};
  int errors_ = 0;  // in a row
  bool token_was_refused_ = false;
  std::string operation_;
  cloud_run run_;
  Error error_;
  std::string news_;
};

// What the documentation of Cloud SQL says to do for such a backup: command lines, each with its consequence.
struct cloud_restore {
  std::string of;              // version
  std::string writes_stopped;  // RFC 3339; may be empty
};
std::string restore_commands(const std::vector<cloud_run>& runs, const cloud_restore& what);

}  // namespace difyd::supervisor
