// Where the server is that with-postgresql started.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "difyd/database/endpoint.hpp"

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

}  // namespace difyd::database
