#include "exchange.hpp"

#include <poll.h>

#include "serialize.hpp"

namespace difyd::http {
namespace {

constexpr std::size_t max_idle = 4;

// A server that closed an idle connection has made it readable.
bool is_quiet(const connection& link) {
  pollfd probe{const_cast<stream_socket&>(link.socket).native_handle(), POLLIN | POLLRDHUP, 0};
  return ::poll(&probe, 1, 0) == 0;
}

std::unique_ptr<connection> take_idle(client::state& owner) {
  while (!owner.idle.empty()) {
    auto link = std::move(owner.idle.back());
    owner.idle.pop_back();
    if (is_quiet(*link)) return link;
  }
  return nullptr;
}

task<Result<std::unique_ptr<connection>>> acquire(client_ptr owner, bool fresh) {
  if (!fresh)
    if (auto link = take_idle(*owner)) {
      link->reused = true;
      co_return std::move(link);
    }
  auto socket = co_await connect(owner->where, owner->names);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  co_return std::make_unique<connection>(connection{std::move(*socket), {}, false});
}

std::string host_of(const endpoint& where) {
  return where.is_unix() ? "localhost" : to_text(where).substr(std::string_view("tcp://").size());
}

std::unexpected<Error> failed(const endpoint& where, parse_failure failure) {
  const std::string begin = "cannot read the answer of " + to_text(where) + ": ";
  switch (failure) {
    case parse_failure::body_too_large:
      return fail("answer-too-large", begin + "it is larger than allowed");
    case parse_failure::truncated:
      return fail("connection-lost", begin + "the connection ended in the middle of it");
    default:
      return fail("malformed-answer", begin + "it is no HTTP");
  }
}

task<Result<>> read_header(exchange& of, parse_limits limits, bool to_head) {
  for (;;) {
    of.answer = response_parser(limits, to_head);
    while (!of.answer->header_done()) {
      auto step = co_await advance(of, true);
      if (!step) co_return std::move(step);
    }
    const int status = of.answer->head.status;
    if (status >= 200 || status == 101) co_return Result<>{};
  }
}

// A server may answer, and close, before it has read the whole body: whatever became of the
// writing, the answer counts if there is one.
task<Result<>> converse(exchange& of, std::string head, const request& what, std::uint64_t max_body) {
  auto sent = co_await write_all(of.link->socket, head);
  if (sent && !what.body.empty()) sent = co_await write_all(of.link->socket, what.body);
  auto read = co_await read_header(of, {.body = max_body}, what.method == "HEAD");
  if (!read && !sent) co_return std::move(sent);
  co_return std::move(read);
}

bool may_repeat(const exchange& of, const request& what, const Error& error) {
  return of.link->reused && error.code == "connection-lost" &&
         (what.method == "GET" || what.method == "HEAD");
}

}  // namespace

task<Result<exchange>> begin(client_ptr owner, request what, std::uint64_t max_body) {
  auto head = head_text(what, host_of(owner->where));
  if (!head) co_return std::unexpected(std::move(head.error()));
  for (bool fresh = false;; fresh = true) {
    auto link = co_await acquire(owner, fresh);
    if (!link) co_return std::unexpected(std::move(link.error()));
    exchange of{owner, std::move(*link), {}};
    auto done = co_await converse(of, *head, what, max_body);
    if (done) co_return std::move(of);
    if (!may_repeat(of, what, done.error())) co_return std::unexpected(std::move(done.error()));
  }
}

task<Result<>> advance(exchange& of, bool stop_at_body) {
  auto& buffer = of.link->buffer;
  parse_failure failure = of.answer->put(buffer, stop_at_body);
  const bool enough = of.answer->done() || (stop_at_body && of.answer->header_done());
  if (failure == parse_failure::none && (enough || !of.answer->body.empty())) co_return Result<>{};
  if (failure == parse_failure::none) {
    auto count = co_await read_some(of.link->socket, buffer);
    if (!count) co_return std::unexpected(std::move(count.error()));
    failure = *count == 0 ? of.answer->put_end() : of.answer->put(buffer, stop_at_body);
    if (*count == 0 && failure == parse_failure::none && !of.answer->done())
      failure = parse_failure::truncated;
  }
  if (failure != parse_failure::none) co_return failed(of.owner->where, failure);
  co_return Result<>{};
}

void finish(exchange& of) {
  if (!of.link || !of.answer || !of.answer->done() || !of.answer->keep_alive()) return;
  auto link = std::move(of.link);
  if (link->buffer.empty() && of.owner->idle.size() < max_idle) of.owner->idle.push_back(std::move(link));
}

}  // namespace difyd::http
