// The only file that includes libpqxx: 6.4 of Debian 12, 7 of later ones.
#include <sys/socket.h>

#include <pqxx/pqxx>

#include "classify.hpp"
#include "connection_text.hpp"
#include "session.hpp"

namespace difyd::database {
namespace {

// A connection that comes back by itself, as version 6 has it, would come back without its lock.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
template <class Connection>
void stay_broken(Connection& connection) {
  if constexpr (requires { connection.inhibit_reactivation(true); }) connection.inhibit_reactivation(true);
}
#pragma GCC diagnostic pop

class pqxx_session final : public session {
 public:
  pqxx_session(const std::string& text, endpoint where, std::string database)
      : connection_(text), where_(std::move(where)), database_(std::move(database)) {
    stay_broken(connection_);
    pid_ = connection_.backendpid();
  }

  Result<rows> query(const std::string& sql, const std::vector<std::string>& arguments,
                     const std::string& what) override {
    try {
      pqxx::nontransaction statement(connection_);
      return copied(statement.exec(filled(statement, sql, arguments)));
    } catch (const pqxx::insufficient_privilege& error) {
      // Version 6 keeps the SQLSTATE of this one to itself.
      return std::unexpected(classify({"42501", error.what()}, where_, database_, what));
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate().starts_with("57P") || error.sqlstate().starts_with("08")) broken_ = true;
      return std::unexpected(classify({error.sqlstate(), error.what()}, where_, database_, what));
    } catch (const pqxx::broken_connection& error) {
      broken_ = true;
      return std::unexpected(classify({"08006", error.what()}, where_, database_, what));
    } catch (const std::exception& error) {
      return std::unexpected(classify({"", error.what()}, where_, database_, what));
    }
  }

  bool alive() const override { return !broken_ && connection_.is_open(); }
  int backend_pid() const override { return pid_; }
  int socket() const override { return connection_.sock(); }

 private:
  static std::string filled(pqxx::nontransaction& statement, const std::string& sql,
                            const std::vector<std::string>& arguments) {
    std::string out;
    std::size_t next = 0;
    for (const char c : sql) out += c == '?' ? statement.quote(arguments.at(next++)) : std::string(1, c);
    return out;
  }

  static rows copied(const pqxx::result& result) {
    rows all;
    for (const auto& each : result) {
      row& one = all.emplace_back();
      for (const auto& field : each)
        one.push_back(field.is_null() ? cell_text() : cell_text(std::string(field.c_str(), field.size())));
    }
    return all;
  }

  pqxx::connection connection_;
  endpoint where_;
  std::string database_;
  int pid_ = 0;
  bool broken_ = false;
};

}  // namespace

void interrupter::watch(int descriptor) {
  const std::lock_guard lock(mutex_);
  descriptor_ = descriptor;
}

void interrupter::forget() { watch(-1); }

void interrupter::fire() {
  const std::lock_guard lock(mutex_);
  if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

std::string identifier(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

Result<std::unique_ptr<session>> open_session(const endpoint& where, const std::string& database) {
  const auto addresses = addresses_of(where);
  if (!addresses) return fail(addresses.error());
  const std::string what = "connect to database " + database + " at " + to_text(where);
  try {
    return std::make_unique<pqxx_session>(connection_text(where, database, *addresses), where, database);
  } catch (const std::exception& error) {
    failure seen{"", error.what()};
    if (sqlstate_of_text(seen.text).empty()) seen.sqlstate = refusal_sqlstate(where, database);
    // Whatever nobody can name is a connection that does not come about.
    if (sqlstate_of_text(seen.text).empty() && seen.sqlstate.empty()) seen.sqlstate = "08001";
    return std::unexpected(classify(seen, where, database, what));
  }
}

}  // namespace difyd::database
