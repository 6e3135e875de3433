#include "difyd/http/server.hpp"

#include <fcntl.h>

#include <algorithm>
#include <list>

#include "difyd/base/log.hpp"
#include "difyd/base/task_group.hpp"
#include "listener.hpp"
#include "session.hpp"

namespace difyd::http {

struct server::state {
  state(asio::any_io_executor where, handler answer, server_options options)
      : executor(where),
        rules(std::make_shared<session_rules>(std::move(answer), options)),
        acceptors(where),
        sessions(where, [](const std::string&, const std::string& what) {
          log::error("http", "a connection failed", {{"cause", what}});
        }) {}

  asio::any_io_executor executor;
  std::shared_ptr<session_rules> rules;
  std::list<std::shared_ptr<listener>> listeners;
  std::list<std::shared_ptr<session>> open;
  std::uint16_t port = 0;
  task_group acceptors;
  task_group sessions;
};

namespace {

template <class State>
task<void> run_session(std::shared_ptr<State> server, std::shared_ptr<session> of) {
  struct leave {
    State& server;
    std::shared_ptr<session> of;
    ~leave() { server.open.remove(of); }
  } at_end{*server, of};
  co_await serve(of, server->rules);
}

// How much a connection that waits for its client would be missed: a checker asks again and again, and
// one that has just come is about to ask.
std::uint64_t worth(const session& of, std::chrono::steady_clock::time_point now) {
  constexpr duration newborn = std::chrono::seconds(1);
  if (of.served == 0) return now - of.used < newborn ? 2 : 0;
  return of.served == 1 ? 1 : of.served + 1;
}

// Whether there is room for one more, after closing another one where there was none.
template <class State>
bool has_room(State& server) {
  const auto& options = server.rules->options;
  const auto now = std::chrono::steady_clock::now();
  std::size_t staying = 0;
  session* least = nullptr;
  for (const auto& each : server.open) {
    if (each->evicted) continue;
    ++staying;
    if (!each->reading) continue;
    const auto its = std::pair(worth(*each, now), each->used);
    if (!least || its < std::pair(worth(*least, now), least->used)) least = each.get();
  }
  if (staying < options.max_connections) return true;
  if (!options.make_room || !least) return false;
  least->evicted = true;
  ::shutdown(least->socket.native_handle(), SHUT_RDWR);
  return true;
}

template <class State>
task<void> accept_all(std::shared_ptr<State> server, std::shared_ptr<listener> from) {
  for (;;) {
    auto next = co_await from->accept();
    if (!next) continue;
    const bool full = server->open.size() >= server->rules->options.max_connections;
    if (full && !has_room(*server)) continue;  // closes it
    auto of = std::make_shared<session>(std::move(next->socket), std::move(next->from));
    server->open.push_back(of);
    server->sessions.spawn("connection from " + of->from.address, run_session(server, of));
  }
}

template <class State>
void start(const std::shared_ptr<State>& server, int descriptor, std::string path = {}) {
  auto from = std::make_shared<listener>(server->executor, descriptor, std::move(path));
  server->listeners.push_back(from);
  server->acceptors.spawn("listener", accept_all(server, from));
}

task<Result<>> joined(task_group& group) {
  co_await group.join();
  co_return Result<>{};
}

}  // namespace

server::server(asio::any_io_executor executor, handler answer, server_options options)
    : state_(std::make_shared<state>(std::move(executor), std::move(answer), options)) {}
server::~server() = default;

Result<> server::listen(const unix_listener& where) {
  const auto descriptor = listen_unix(where);
  if (!descriptor) return std::unexpected(descriptor.error());
  start(state_, *descriptor, where.path);
  return {};
}

Result<> server::listen_tcp(const std::string& address, std::uint16_t port) {
  const auto descriptor = listen_tcp_socket(address, port);
  if (!descriptor) return std::unexpected(descriptor.error());
  start(state_, *descriptor);
  state_->port = state_->listeners.back()->port();
  return {};
}

Result<> server::adopt(int descriptor) {
  int accepts = 0;
  socklen_t size = sizeof accepts;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) != 0 || accepts == 0)
    return fail("listen-failed",
                "cannot take over descriptor " + std::to_string(descriptor) + ": it is no listening socket");
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  start(state_, descriptor);
  return {};
}

std::uint16_t server::port() const { return state_->port; }
std::size_t server::connections() const { return state_->open.size(); }

void server::stop() {
  state_->rules->stopping = true;
  state_->acceptors.cancel();
  for (const auto& each : state_->listeners) each->close();
  for (const auto& each : state_->open)
    if (each->idle) ::shutdown(each->socket.native_handle(), SHUT_RDWR);
}

task<void> server::join(duration grace) {
  auto kept = state_;
  auto done = co_await with_deadline(joined(kept->sessions), grace, "close the connections");
  if (!done) kept->sessions.cancel();
  co_await kept->sessions.join();
  co_await kept->acceptors.join();
}

}  // namespace difyd::http
