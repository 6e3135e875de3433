// Sessions on the server that with-postgresql started.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "catch.hpp"
#include "database/session.hpp"
#include "run_task.hpp"
#include "test_server.hpp"

namespace difyd::database {

inline std::unique_ptr<session> connected(const endpoint& where, const std::string& database) {
  auto opened = open_session(where, database);
  if (!opened) throw std::runtime_error(sentence(opened.error()));
  return std::move(*opened);
}

inline rows run_sql(session& s, const std::string& sql) {
  auto found = s.query(sql, {}, "run test SQL");
  if (!found) throw std::runtime_error(sentence(found.error()));
  return std::move(*found);
}

template <class T>
T got(Result<T> result) {
  if (!result) throw std::runtime_error(sentence(result.error()));
  return std::move(*result);
}

// Waits for a condition, at most twenty seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace difyd::database
