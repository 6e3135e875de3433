#include "transport.hpp"

#include "errors.hpp"

namespace difyd::engine {
namespace {

constexpr duration negotiation_limit = std::chrono::seconds(10);
constexpr duration refusal_limit = std::chrono::seconds(10);

bool is_good(const call& of, int status) {
  return (status >= 200 && status < 300) || (status == 304 && of.unchanged_is_good);
}

}  // namespace

task<Result<>> transport::negotiate_once() {
  if (!version_.api.empty()) co_return Result<>{};
  auto done = co_await connect(negotiation_limit);
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<>{};
}

task<Result<http::request>> transport::prepare(call& of) {
  auto ready = co_await negotiate_once();
  if (!ready) {
    Error& error = ready.error();
    error.message = "cannot " + of.what + ": " + error.message;
    co_return std::unexpected(std::move(error));
  }
  http::request result{of.method, "/v" + version_.api + of.path, std::move(of.headers), std::move(of.body)};
  if (!result.body.empty()) result.headers.set("Content-Type", of.content_type);
  co_return std::move(result);
}

// An engine that was replaced under us may speak other versions: the next call asks again.
Error transport::refused(const call& of, int status, std::string_view body) {
  Error error = refusal(of.what, status, body);
  if (status == 400 && error.message.find("client version") != std::string::npos) version_ = {};
  return error;
}

task<Result<std::string>> transport::send(call of) {
  auto what = co_await prepare(of);
  if (!what) co_return std::unexpected(std::move(what.error()));
  http::send_options options{of.limit, of.max_answer};
  auto answer = co_await http_.send(std::move(*what), options);
  if (!answer) co_return std::unexpected(no_answer(of.what, answer.error(), of.limit));
  if (!is_good(of, answer->status)) co_return std::unexpected(refused(of, answer->status, answer->body));
  co_return std::move(answer->body);
}

task<Result<json>> transport::send_for_json(call of) {
  const std::string what = of.what;
  auto body = co_await send(std::move(of));
  if (!body) co_return std::unexpected(std::move(body.error()));
  co_return parse_json(*body, what);
}

task<Result<>> transport::send_for_nothing(call of) {
  auto body = co_await send(std::move(of));
  if (!body) co_return std::unexpected(std::move(body.error()));
  co_return Result<>{};
}

task<Result<http::body_stream>> transport::open(call of) {
  auto what = co_await prepare(of);
  if (!what) co_return std::unexpected(std::move(what.error()));
  auto stream = co_await http_.open(std::move(*what), of.limit);
  if (!stream) co_return std::unexpected(no_answer(of.what, stream.error(), of.limit));
  const int status = stream->head().status;
  if (is_good(of, status)) co_return std::move(stream);
  auto body = co_await stream->read_all(refusal_limit);
  co_return std::unexpected(refused(of, status, body ? *body : std::string()));
}

task<Result<http::raw_stream>> transport::upgrade(call of) {
  auto what = co_await prepare(of);
  if (!what) co_return std::unexpected(std::move(what.error()));
  auto done = co_await http_.upgrade(std::move(*what), of.limit);
  if (!done) co_return std::unexpected(no_answer(of.what, done.error(), of.limit));
  if (!done->stream) co_return std::unexpected(refused(of, done->answer.status, done->answer.body));
  co_return std::move(*done->stream);
}

}  // namespace difyd::engine
