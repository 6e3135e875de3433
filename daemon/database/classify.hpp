// What an error of PostgreSQL or libpq means for an operator. Pure.
#pragma once

#include <string>
#include <string_view>

#include "difyd/base/error.hpp"
#include "difyd/database/endpoint.hpp"

namespace difyd::database {

struct failure {
  std::string sqlstate;  // "" where only a text is known (errors of connecting)
  std::string text;      // as the library gives it
};

// `what` completes "cannot ...".
Error classify(const failure& seen, const endpoint& where, const std::string& database,
               const std::string& what);

// SQLSTATE that an English text of libpq or of the server's start-up stands for, "" for none.
std::string_view sqlstate_of_text(std::string_view text);

}  // namespace difyd::database
