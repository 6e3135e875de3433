// One connection by libpq itself, only to learn why it is refused.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "connection_text.hpp"
#include "session.hpp"

namespace difyd::database {
namespace {

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// False where the deadline passed first.
bool wait_for(PGconn* conn, PostgresPollingStatusType wants, std::chrono::steady_clock::time_point end) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd entry{PQsocket(conn), static_cast<short>(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
  return ::poll(&entry, 1, static_cast<int>(left.count())) > 0;
}

// "FATAL:  28P01" within the text.
std::string state_in(std::string_view text) {
  for (std::size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view word = text.substr(at + 3, 5);
    const bool state = word.size() == 5 && std::ranges::all_of(word, [](char c) {
                         return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                       });
    if (state) return std::string(word);
  }
  return {};
}

}  // namespace

std::string refusal_sqlstate(const endpoint& where, const std::string& database) {
  const auto addresses = addresses_of(where);
  if (!addresses) return {};
  const connection conn(PQconnectStart(connection_text(where, database, *addresses).c_str()), &PQfinish);
  if (!conn) return {};
  PQsetErrorVerbosity(conn.get(), PQERRORS_SQLSTATE);
  const auto end = std::chrono::steady_clock::now() + where.connect_limit / 2;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
    if (!wait_for(conn.get(), status, end)) return {};
    status = PQconnectPoll(conn.get());
  }
  return status == PGRES_POLLING_FAILED ? state_in(PQerrorMessage(conn.get())) : std::string();
}

}  // namespace difyd::database
