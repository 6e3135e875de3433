#include "difyd/database/server.hpp"

#include <map>

#include "caller.hpp"
#include "queries.hpp"

namespace difyd::database {
namespace {

// Open connections by database: touched on the lane's thread only, and owned by the calls
// that run there.
struct pool {
  endpoint where;
  std::shared_ptr<interrupter> interrupt;
  std::map<std::string, std::unique_ptr<session>> open;

  // A connection that is found broken is replaced once: every question may be asked twice.
  template <class T>
  Result<T> ask(const std::string& database, const std::function<Result<T>(session&)>& question) {
    const bool reused = open.contains(database);
    auto first = try_once(database, question);
    if (first || !reused || open.contains(database)) return first;
    return try_once(database, question);
  }

  std::vector<int> pids() const {
    std::vector<int> all;
    for (const auto& [name, each] : open) all.push_back(each->backend_pid());
    return all;
  }

 private:
  template <class T>
  Result<T> watched(session& s, const std::function<Result<T>(session&)>& question) {
    const watch guard(*interrupt, s.socket());
    return question(s);
  }

  template <class T>
  Result<T> try_once(const std::string& database, const std::function<Result<T>(session&)>& question) {
    auto& slot = open[database];
    if (!slot) {
      auto opened = open_session(where, database);
      if (!opened) {
        open.erase(database);
        return fail(std::move(opened.error()));
      }
      slot = std::move(*opened);
    }
    auto answer = watched(*slot, question);
    if (!slot->alive()) open.erase(database);
    return answer;
  }
};

}  // namespace

struct server::state {
  state(asio::any_io_executor executor, endpoint target)
      : where(std::move(target)),
        calls(std::move(executor), "pg " + where.host),
        connections(std::make_shared<pool>()) {
    connections->where = where;
    connections->interrupt = calls.interrupt();
  }

  template <class T>
  task<Result<T>> ask(std::string database, std::function<Result<T>(session&)> question) {
    std::function<Result<T>()> call = [connections = connections, database, question = std::move(question)] {
      return connections->template ask<T>(database, question);
    };
    std::string what = "ask database " + database + " at " + to_text(where);
    return calls.run(std::move(call), where.connect_limit + where.call_limit, std::move(what));
  }

  endpoint where;
  caller calls;
  std::shared_ptr<pool> connections;
};

server::server(asio::any_io_executor executor, endpoint where)
    : state_(std::make_shared<state>(std::move(executor), std::move(where))) {}

server::~server() = default;

const endpoint& server::where() const { return state_->where; }

task<Result<server_facts>> server::facts(std::string database) {
  return state_->ask<server_facts>(std::move(database), ask_server);
}

task<Result<database_facts>> server::facts_of(std::string database) {
  return state_->ask<database_facts>(std::move(database), ask_database);
}

task<Result<revision>> server::alembic_revision(std::string database) {
  return state_->ask<revision>(std::move(database), ask_revision);
}

task<Result<std::string>> server::catalog_fingerprint(std::string database) {
  return state_->ask<std::string>(std::move(database), ask_fingerprint);
}

task<Result<std::vector<session_info>>> server::sessions(std::string through,
                                                         std::vector<std::string> databases,
                                                         std::vector<std::string> roles) {
  return state_->ask<std::vector<session_info>>(
      std::move(through), [connections = state_->connections, databases, roles](session& s) {
        return ask_sessions(s, databases, roles, connections->pids());
      });
}

task<Result<std::vector<blocker>>> server::blockers(std::string through, std::string application_name) {
  return state_->ask<std::vector<blocker>>(
      std::move(through), [application_name](session& s) { return ask_blockers(s, application_name); });
}

task<Result<std::vector<table_lock>>> server::locks(std::string database, std::string application_name) {
  return state_->ask<std::vector<table_lock>>(
      std::move(database), [application_name](session& s) { return ask_locks(s, application_name); });
}

task<Result<bool>> server::terminate(std::string through, int pid) {
  return state_->ask<bool>(std::move(through), [pid](session& s) { return ask_terminate(s, pid); });
}

task<Result<std::vector<std::string>>> server::extensions(std::string through) {
  return state_->ask<std::vector<std::string>>(std::move(through), ask_extensions);
}

task<Result<>> server::create_database(std::string through, std::string name) {
  return state_->ask<void>(std::move(through), [name](session& s) { return ask_create(s, name); });
}

task<Result<std::vector<database_entry>>> server::databases(std::string through) {
  return state_->ask<std::vector<database_entry>>(std::move(through), ask_databases);
}

task<Result<>> server::drop_database(std::string through, std::string name) {
  return state_->ask<void>(std::move(through), [name](session& s) { return ask_drop(s, name); });
}

task<Result<>> server::rename_databases(std::string through, std::vector<new_name> names) {
  return state_->ask<void>(through, [names, through, connections = state_->connections](session& s) {
    std::erase_if(connections->open, [&](const auto& each) { return each.first != through; });
    return ask_rename(s, names);
  });
}

task<Result<std::vector<std::string>>> server::notes(std::string database, std::string topic) {
  return state_->ask<std::vector<std::string>>(std::move(database),
                                               [topic](session& s) { return ask_notes(s, topic); });
}

task<Result<>> server::add_note(std::string database, std::string topic, std::string text) {
  return state_->ask<void>(std::move(database),
                           [topic, text](session& s) { return ask_add_note(s, topic, text); });
}

task<void> server::close() {
  std::function<Result<>()> call = [connections = state_->connections]() -> Result<> {
    connections->open.clear();
    return {};
  };
  std::string what = "close connections to " + to_text(state_->where);
  auto closed = co_await state_->calls.run(std::move(call), state_->where.call_limit, std::move(what));
  (void)closed;  // what cannot be closed now closes when its call returns
}

}  // namespace difyd::database
