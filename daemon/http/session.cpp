#include "session.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <limits>

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"

namespace difyd::http {
namespace {

constexpr duration linger = std::chrono::seconds(1);
constexpr std::size_t max_linger = 256u << 10;

// What ended the reading of a request: a request, a refusal to send, or nothing more to say.
struct incoming {
  std::unique_ptr<parser> whole;
  int refusal = 0;      // status to answer with before closing
  bool unread = false;  // its body is left where it is
};

int refusal_of(parse_failure failure) {
  if (failure == parse_failure::header_too_large) return 431;
  return failure == parse_failure::body_too_large ? 413 : 400;
}

// Reads until `enough`; the Result is an error when the connection ended or broke.
task<Result<parse_failure>> read_until(session& of, parser& into, bool header_only) {
  parse_failure failure = into.put(of.buffer, header_only);
  while (failure == parse_failure::none && !(header_only ? into.header_done() : into.done())) {
    auto count = co_await read_some(of.socket, of.buffer);
    if (!count) co_return std::unexpected(std::move(count.error()));
    if (*count == 0) co_return fail("connection-lost", "cannot read a request: the client has gone");
    failure = into.put(of.buffer, header_only);
  }
  co_return failure;
}

// 0 to go on, a status to refuse with, -1 to close without a word.
int outcome(const Result<parse_failure>& read) {
  if (!read) return read.error().code == "deadline-exceeded" ? 408 : -1;
  return *read == parse_failure::none ? 0 : refusal_of(*read);
}

// A connection that only waits needs no buffer.
task<Result<std::size_t>> first_bytes(session& of) {
  boost::system::error_code error;
  co_await of.socket.async_wait(stream_socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return co_await read_some(of.socket, of.buffer);
}

// False when the client has gone or kept silent for too long.
task<bool> wait_for_request(session& of, const session_rules& rules) {
  if (!of.buffer.empty()) co_return true;
  of.idle = true;
  auto count = co_await with_deadline(first_bytes(of), rules.options.idle_timeout, "wait for a request");
  of.idle = false;
  co_return count&&* count > 0;
}

task<incoming> read_request(session& of, const session_rules& rules) {
  const auto& options = rules.options;
  // What is not read needs no bound.
  const auto most = options.at_once ? std::numeric_limits<std::uint64_t>::max() : options.max_body;
  incoming result{request_parser({static_cast<std::uint32_t>(options.max_header), most})};
  // Most requests are in the first bytes, and need no timer.
  Result<parse_failure> head = result.whole->put(of.buffer, true);
  if (*head == parse_failure::none && !result.whole->header_done())
    head =
        co_await with_deadline(read_until(of, *result.whole, true), options.header_deadline, "read a header");
  result.refusal = outcome(head);
  if (result.refusal != 0) co_return std::move(result);
  if (*(head = result.whole->put(of.buffer)) != parse_failure::none) result.refusal = refusal_of(*head);
  result.unread = options.at_once && !result.whole->done();
  if (result.unread) result.refusal = 0;
  if (result.refusal != 0 || result.unread || result.whole->done()) co_return std::move(result);
  if (!result.whole->done() && to_lower(result.whole->head.headers.get("Expect")) == "100-continue") {
    auto sent = co_await with_deadline(write_all(of.socket, "HTTP/1.1 100 Continue\r\n\r\n"),
                                       options.write_deadline, "continue");
    if (!sent) result.refusal = -1;
  }
  if (result.refusal != 0) co_return std::move(result);
  auto body =
      co_await with_deadline(read_until(of, *result.whole, false), options.body_deadline, "read a body");
  result.refusal = outcome(body);
  co_return std::move(result);
}

task<Result<>> discard(session& of) {
  std::size_t total = 0;
  while (total < max_linger) {
    of.buffer.clear();
    auto count = co_await read_some(of.socket, of.buffer);
    if (!count || *count == 0) break;
    total += *count;
  }
  co_return Result<>{};
}

// Error answers of the server itself, in the shape of the control API:
// {"error":{"code":"content-too-large",...}}.
response plain_error(int status) {
  std::string code = to_lower(reason(status));
  std::ranges::replace(code, ' ', '-');
  return json_response(status, "{\"error\":{\"code\":\"" + code + "\",\"message\":\"" +
                                   std::string(reason(status)) + "\",\"remedy\":\"\"}}\n");
}

// The client may still send what nobody reads.
task<void> close_gently(session& of) {
  of.idle = true;
  boost::system::error_code ignored;
  of.socket.shutdown(stream_socket::shutdown_send, ignored);
  co_await with_deadline(discard(of), linger, "close");
}

// Closing while the client still sends would reset the connection and lose the answer.
task<void> refuse(session& of, const session_rules& rules, int status) {
  const response answer = plain_error(status);
  co_await send_answer(of, rules, answer, "GET", 11, false);
  co_await close_gently(of);
}

task<bool> call_handler(const session_rules& rules, const request& what, const peer& from, response& result) {
  result = co_await rules.answer(what, from);
  co_return true;
}

response internal_error(const request& what, const std::string& cause) {
  log::error("http", "a request failed", {{"request", what.method + " " + what.target}, {"cause", cause}});
  return plain_error(500);
}

// False when the client went before there was an answer.
task<bool> get_answer(session& of, const session_rules& rules, const request& what, response& result) {
  std::string cause;
  try {
    if (rules.options.at_once) co_return co_await call_handler(rules, what, of.from, result);
    auto done = co_await while_connected(of, call_handler(rules, what, of.from, result));
    co_return done.has_value();
  } catch (const std::exception& error) {
    cause = error.what();
  }
  // The server that stops cancels the handler too: that is no failure, and nothing to answer.
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return false;
  result = internal_error(what, cause);
  co_return true;
}

// One request and its answer; false ends the connection.
task<bool> serve_one(session& of, const session_rules& rules) {
  incoming in = co_await read_request(of, rules);
  if (in.refusal != 0) {
    if (in.refusal > 0) co_await refuse(of, rules, in.refusal);
    co_return false;
  }
  of.reading = false;
  parsed_head& head = in.whole->head;
  const int version = head.version;
  const bool keep_alive = in.whole->keep_alive() && !in.unread;
  const request what{std::move(head.method), std::move(head.target), std::move(head.headers),
                     std::move(in.whole->body)};
  response result;
  const bool there = co_await get_answer(of, rules, what, result);
  if (!there) co_return false;
  const bool last = rules.stopping || to_lower(result.headers.get("Connection")) == "close";
  const bool again = co_await send_answer(of, rules, result, what.method, version, keep_alive && !last);
  of.served = in.unread ? 0 : of.served + 1;
  of.used = std::chrono::steady_clock::now();
  of.reading = true;
  if (in.unread) co_await close_gently(of);
  co_return again;
}

}  // namespace

task<void> serve(std::shared_ptr<session> of, std::shared_ptr<session_rules> rules) {
  while (!rules->stopping) {
    const bool more = co_await wait_for_request(*of, *rules);
    if (!more) break;
    const bool again = co_await serve_one(*of, *rules);
    if (!again) break;
  }
}

}  // namespace difyd::http
