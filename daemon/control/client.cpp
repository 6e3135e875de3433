#include "difyd/control/client.hpp"

#include "difyd/base/text.hpp"
#include "difyd/http/client.hpp"

namespace difyd::control {
namespace {

// Who is asked, and what is said where nobody is there.
struct asked {
  std::string socket;
  std::optional<Error> when_away;
};

Error daemon_error(const Error& cause, const asked& of) {
  const std::string& socket = of.socket;
  const bool away = cause.code == "socket-missing" || cause.code == "connection-refused";
  if (away && of.when_away) return *of.when_away;
  if (away)
    return {"daemon-not-running", "no difyd daemon answers on " + socket,
            "Start it: systemctl start difyd, or in the foreground: difyd serve"};
  if (cause.code == "permission-denied")
    return {"daemon-denied", "cannot talk to the daemon: no permission for " + socket,
            "Use sudo, or join the group that listen.socket_group names"};
  return {"daemon-silent", "the daemon on " + socket + " does not answer: " + cause.message,
          "Look at it: systemctl status difyd, journalctl -u difyd"};
}

Error gone() {
  return {"daemon-gone", "the daemon went away while it was at work",
          "An upgrade that had stopped anything goes on where it was; one that was still preparing is to be "
          "asked for "
          "again. See: difyd status"};
}

task<Result<std::string>> exchange(asked of, http::request request, duration limit) {
  http::client client(co_await asio::this_coro::executor, http::unix_endpoint(of.socket));
  request.headers.set("Host", "difyd");
  http::send_options options;
  options.deadline = limit;
  auto answer = co_await client.send(std::move(request), options);
  if (!answer) co_return fail(daemon_error(answer.error(), of));
  if (answer->status >= 400) co_return fail(parse_error(static_cast<unsigned>(answer->status), answer->body));
  co_return std::move(answer->body);
}

task<Result<http::body_stream>> open_stream(asked of, std::string path) {
  http::client client(co_await asio::this_coro::executor, http::unix_endpoint(of.socket));
  http::request request;
  request.target = std::move(path);
  request.headers.set("Host", "difyd");
  auto stream = co_await client.open(std::move(request), std::chrono::seconds(10));
  if (!stream) co_return fail(daemon_error(stream.error(), of));
  co_return stream;
}

}  // namespace

task<Result<std::string>> client::get(std::string path, duration limit) {
  http::request request;
  request.target = std::move(path);
  return exchange(asked{socket_, when_away_}, std::move(request), limit);
}

task<Result<std::string>> client::post(std::string path, std::string json, duration limit) {
  http::request request;
  request.method = "POST";
  request.target = std::move(path);
  request.headers.set("Content-Type", "application/json");
  request.body = std::move(json);
  return exchange(asked{socket_, when_away_}, std::move(request), limit);
}

task<Result<>> client::stream(std::string path, std::function<void(std::string_view)> seen) {
  const asked of{socket_, when_away_};
  auto stream = co_await open_stream(of, std::move(path));
  if (!stream) co_return fail(stream.error());
  if (stream->head().status >= 400) {
    auto body = co_await stream->read_all(std::chrono::seconds(10));
    co_return fail(parse_error(static_cast<unsigned>(stream->head().status), body.value_or("")));
  }
  for (;;) {
    auto piece = co_await stream->read();
    if (!piece) co_return fail(gone());
    if (!*piece) co_return Result<>{};
    seen(**piece);
  }
}

task<Result<>> client::follow(std::uint64_t since, std::string operation,
                              std::function<bool(const event&)> seen) {
  const asked of{socket_, when_away_};
  auto stream = co_await open_stream(
      of, "/v1/events?since=" + std::to_string(since) + "&operation=" + percent_encode(operation));
  if (!stream) co_return fail(stream.error());
  std::string rest;
  for (;;) {
    auto piece = co_await stream->read();
    if (!piece || !*piece) co_return fail(gone());
    rest += **piece;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      auto event = parse_event(std::string_view(rest).substr(0, end));
      if (!event) co_return fail(event.error());
      if (!seen(*event)) co_return Result<>{};
    }
  }
}

}  // namespace difyd::control
