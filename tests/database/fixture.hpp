// The server that with-postgresql started.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "catch.hpp"
#include "database/session.hpp"
#include "difyd/database/endpoint.hpp"
#include "run_task.hpp"

namespace difyd::database {

inline std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (!value) throw std::runtime_error(std::string(name) + " is not set: run this test by with-postgresql");
  return value;
}

inline constexpr const char* dify_password = "geheim's \\ pass";

inline endpoint as(const std::string& user = "dify", const std::string& password = dify_password) {
  endpoint where;
  where.host = "127.0.0.1";
  where.port = std::atoi(from_environment("PGTEST_PORT").c_str());
  where.user = user;
  where.password = password;
  where.sslmode = "require";
  return where;
}

inline endpoint as_admin() {
  endpoint where = as("admin", "");
  where.host = from_environment("PGTEST_FOLDER");
  where.sslmode = "disable";
  return where;
}

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
