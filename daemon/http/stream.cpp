#include <boost/system/error_code.hpp>
#include <utility>

#include "stream_state.hpp"

namespace difyd::http {
namespace {

using piece = std::optional<std::string>;

task<Result<piece>> next_of_body(exchange& of) {
  auto& body = of.answer->body;
  while (body.empty() && !of.answer->done()) {
    auto step = co_await advance(of);
    if (!step) co_return std::unexpected(std::move(step.error()));
  }
  if (!body.empty()) co_return piece(std::exchange(body, {}));
  finish(of);
  co_return piece();
}

task<Result<piece>> next_of_raw(connection& link) {
  if (link.buffer.empty()) {
    auto count = co_await read_some(link.socket, link.buffer);
    if (!count) co_return std::unexpected(std::move(count.error()));
    if (*count == 0) co_return piece();
  }
  co_return piece(std::exchange(link.buffer, {}));
}

task<Result<>> write_owned(connection& link, std::string bytes) {
  co_return co_await write_all(link.socket, bytes);
}

task<Result<std::string>> collect(exchange& of, endpoint where, std::size_t limit) {
  std::string whole;
  for (;;) {
    auto part = co_await next_of_body(of);
    if (!part) co_return std::unexpected(std::move(part.error()));
    if (!*part) co_return std::move(whole);
    if (whole.size() + (*part)->size() > limit)
      co_return fail("answer-too-large",
                     "cannot read the answer of " + to_text(where) + ": it is larger than allowed");
    whole += **part;
  }
}

}  // namespace

body_stream::body_stream() = default;
body_stream::body_stream(std::unique_ptr<state> of) : state_(std::move(of)) {}
body_stream::body_stream(body_stream&&) noexcept = default;
body_stream& body_stream::operator=(body_stream&&) noexcept = default;
body_stream::~body_stream() = default;

const response& body_stream::head() const { return state_->head; }

task<Result<piece>> body_stream::read(duration deadline) {
  return within(next_of_body(state_->of), deadline, "read from " + to_text(state_->of.owner->where));
}

task<Result<std::string>> body_stream::read_all(duration deadline, std::size_t limit) {
  const endpoint& where = state_->of.owner->where;
  return within(collect(state_->of, where, limit), deadline, "read from " + to_text(where));
}

raw_stream::raw_stream() = default;
raw_stream::raw_stream(std::unique_ptr<state> of) : state_(std::move(of)) {}
raw_stream::raw_stream(raw_stream&&) noexcept = default;
raw_stream& raw_stream::operator=(raw_stream&&) noexcept = default;
raw_stream::~raw_stream() = default;

task<Result<piece>> raw_stream::read(duration deadline) {
  return within(next_of_raw(*state_->link), deadline, "read from " + to_text(state_->where));
}

task<Result<>> raw_stream::write(std::string bytes, duration deadline) {
  return within(write_owned(*state_->link, std::move(bytes)), deadline, "write to " + to_text(state_->where));
}

void raw_stream::close_write() {
  boost::system::error_code ignored;
  state_->link->socket.shutdown(stream_socket::shutdown_send, ignored);
}

}  // namespace difyd::http
