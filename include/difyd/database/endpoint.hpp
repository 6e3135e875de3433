// Where a PostgreSQL server is and how to talk to it.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd::database {

struct endpoint {
  std::string host;  // name, address, or folder of a unix socket ("/run/postgresql")
  int port = 5432;
  std::string user;
  std::string password;  // never in errors or logs
  std::string sslmode = "prefer";
  std::string ca_file;
  std::string application_name = "difyd";
  std::string keys = "database";  // group of the configuration that names it, for remedies

  duration connect_limit{std::chrono::seconds(10)};  // name resolution included
  duration call_limit{std::chrono::seconds(10)};     // of each call; statement_timeout is just below
};

// "db.example:5432", for messages.
std::string to_text(const endpoint& where);

}  // namespace difyd::database
