#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <memory>
#include <optional>

#include "difyd/health/probes.hpp"
#include "resp.hpp"

namespace difyd::health {
namespace {

using asio::ip::tcp;

std::string place(const redis_target& target) { return target.host + ":" + std::to_string(target.port); }

std::unexpected<Error> away(const redis_target& target, const std::string& cause) {
  return fail("redis-away", "cannot reach Redis at " + place(target) + ": " + cause,
              "Check that it runs and that this machine may reach it");
}

// A cancelled wait unwinds: it is the deadline's error that counts, not "operation canceled".
void unwind_if_cancelled(const boost::system::error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

using tls_stream = asio::ssl::stream<tcp::socket&>;

// One connection for one probe; `buffer` is what was read and not yet taken.
struct connection {
  tcp::socket socket;
  std::string buffer;
  std::optional<asio::ssl::context> context{};  // costs a millisecond: made where it is needed
  std::unique_ptr<tls_stream> secure{};
};

// Managed services have authorities of their own, which Dify does not check either: REDIS_SSL_CERT_REQS is
// CERT_NONE in its .env.example (1.12.1).
task<Result<>> shake_hands(tls_stream& stream, std::string where) {
  boost::system::error_code error;
  co_await stream.async_handshake(tls_stream::client, asio::redirect_error(asio::use_awaitable, error));
  unwind_if_cancelled(error);
  if (!error) co_return Result<>{};
  co_return fail("redis-tls", "cannot speak TLS with Redis at " + where + ": " + error.message(),
                 "Set redis.tls to what that server does");
}

// A Redis without TLS waits for the end of a line that never comes.
task<Result<>> encrypt(connection& link, const redis_target& target) {
  link.context.emplace(asio::ssl::context::tls_client);
  link.context->set_verify_mode(asio::ssl::verify_none);
  link.secure = std::make_unique<tls_stream>(link.socket, *link.context);
  auto done =
      co_await with_deadline(shake_hands(*link.secure, place(target)), std::chrono::seconds(3), "speak TLS");
  if (!done && done.error().code == "deadline-exceeded")
    co_return fail("redis-tls",
                   "cannot speak TLS with Redis at " + place(target) + ": it does not answer to it",
                   "Set redis.tls to what that server does");
  co_return done;
}

task<void> send(connection& link, std::string bytes, boost::system::error_code& error) {
  if (link.secure)
    co_await asio::async_write(*link.secure, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
  else
    co_await asio::async_write(link.socket, asio::buffer(bytes),
                               asio::redirect_error(asio::use_awaitable, error));
}

task<std::size_t> receive(connection& link, asio::mutable_buffer room, boost::system::error_code& error) {
  if (link.secure)
    co_return co_await link.secure->async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
  co_return co_await link.socket.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
}

task<Result<>> connect(connection& link, const redis_target& target) {
  boost::system::error_code error;
  std::vector<std::string> addresses{target.host};
  asio::ip::make_address(target.host, error);
  if (error) {  // a name
    auto resolved = co_await host::resolve(target.host, std::chrono::seconds(3));
    if (!resolved) co_return std::unexpected(std::move(resolved.error()));
    addresses = std::move(*resolved);
  }
  for (const auto& each : addresses) {
    const auto parsed = asio::ip::make_address(each, error);
    if (error) continue;
    link.socket.close(error);
    co_await link.socket.async_connect({parsed, target.port},
                                       asio::redirect_error(asio::use_awaitable, error));
    unwind_if_cancelled(error);
    if (!error) co_return Result<>{};
  }
  co_return away(target, error.message());
}

Error refusal(const redis_target& target, const std::string& text) {
  const std::string message = "cannot use Redis at " + place(target) + ": " + text;
  if (text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") ||
      text.find("invalid password") != std::string::npos)
    return {"redis-auth", message, "Check redis.user and redis.password_file in difyd's configuration"};
  if (text.starts_with("LOADING")) return {"redis-loading", message, "It reads its data from disk; wait"};
  if (text.find("AUTH") != std::string::npos && text.find("without any password") != std::string::npos)
    return {"redis-auth", message,
            "That Redis has no password: remove redis.password_file, or set requirepass"};
  return {"redis-failed", message, {}};
}

task<Result<std::string>> ask(connection& link, const redis_target& target, std::vector<std::string> words) {
  boost::system::error_code error;
  co_await send(link, redis_command(words), error);
  std::array<char, 8192> piece;
  redis_reply reply;
  auto progress = redis_progress::incomplete;
  while (!error && (progress = take_reply(link.buffer, reply)) == redis_progress::incomplete) {
    const auto count = co_await receive(link, asio::buffer(piece), error);
    link.buffer.append(piece.data(), count);
  }
  unwind_if_cancelled(error);
  if (error) co_return away(target, error.message());
  if (progress == redis_progress::malformed)
    co_return away(target, "what answers there is not Redis; it may want TLS");
  if (reply.error) co_return std::unexpected(refusal(target, reply.text));
  co_return std::move(reply.text);
}

redis_facts facts_of(const std::string& info) {
  const auto number = [&](const char* key) {
    return std::strtoull(redis_field(info, key).c_str(), nullptr, 10);
  };
  return {redis_field(info, "redis_version"), redis_field(info, "role"),
          redis_field(info, "maxmemory_policy"), number("used_memory"), number("maxmemory")};
}

task<Result<redis_facts>> converse(redis_target target) {
  connection link{tcp::socket(co_await asio::this_coro::executor), {}};
  if (auto connected = co_await connect(link, target); !connected)
    co_return std::unexpected(connected.error());
  if (target.tls)
    if (auto safe = co_await encrypt(link, target); !safe) co_return std::unexpected(safe.error());
  if (!target.password.empty()) {
    std::vector<std::string> words{"AUTH", target.password};
    if (!target.user.empty()) words.insert(words.begin() + 1, target.user);
    if (auto known = co_await ask(link, target, std::move(words)); !known)
      co_return std::unexpected(known.error());
  }
  std::vector<std::string> ping{"PING"}, info{"INFO"};
  if (auto pong = co_await ask(link, target, std::move(ping)); !pong) co_return std::unexpected(pong.error());
  const auto told = co_await ask(link, target, std::move(info));
  if (!told) co_return std::unexpected(told.error());
  co_return facts_of(*told);
}

}  // namespace

task<Result<redis_facts>> ask_redis(redis_target target, duration limit) {
  const std::string what = "ask Redis at " + place(target);
  auto work = converse(std::move(target));
  co_return co_await with_deadline(std::move(work), limit, what);
}

task<findings> probe_redis(redis_target target) {
  const auto facts = co_await ask_redis(target);
  co_return findings{judge_redis(target, facts)};
}

}  // namespace difyd::health
