// One blocking connection to one database. Everything of libpqxx is behind it, in
// pqxx_session.cpp; runs on a lane.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/database/endpoint.hpp"

namespace difyd::database {

using cell_text = std::optional<std::string>;
using row = std::vector<cell_text>;
using rows = std::vector<row>;

// Ends a call that overruns its deadline from another thread, by shutting its socket: a server
// that is frozen acknowledges bytes and never answers, which no timeout of libpq notices.
class interrupter {
 public:
  void watch(int descriptor);
  void forget();  // before the descriptor is closed
  void fire();

 private:
  std::mutex mutex_;
  int descriptor_ = -1;
};

// Watches a session's socket for the time of one call; never longer than the session lives.
class watch {
 public:
  watch(interrupter& who, int descriptor) : who_(who) { who_.watch(descriptor); }
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch() { who_.forget(); }

 private:
  interrupter& who_;
};

class session {
 public:
  session() = default;
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  virtual ~session() = default;

  // One statement outside of a transaction block; each ? in it becomes an argument, quoted.
  // `what` completes "cannot ..." of the error.
  virtual Result<rows> query(const std::string& sql, const std::vector<std::string>& arguments,
                             const std::string& what) = 0;

  // False once the connection broke: it never comes back.
  virtual bool alive() const = 0;
  virtual int backend_pid() const = 0;
  virtual int socket() const = 0;
};

// Resolves the name, connects, bounded by where.connect_limit. Statements are bounded by the
// server to just below where.call_limit.
Result<std::unique_ptr<session>> open_session(const endpoint& where, const std::string& database);

// SQLSTATE with which the server refuses a connection, "" where it accepts it or does not
// answer. libpqxx gives only texts, and those in the server's language.
std::string refusal_sqlstate(const endpoint& where, const std::string& database);

// "name" in double quotes.
std::string identifier(const std::string& name);

}  // namespace difyd::database
