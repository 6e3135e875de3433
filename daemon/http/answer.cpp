#include <sys/socket.h>

#include <boost/system/system_error.hpp>

#include "difyd/base/log.hpp"
#include "serialize.hpp"
#include "session.hpp"

namespace difyd::http {
namespace {

task<Result<>> write_text(session& of, std::string text) { co_return co_await write_all(of.socket, text); }

// How much the socket takes without waiting; a broken one is found out by who waits for it.
std::size_t write_now(session& of, std::string_view text) {
  const ssize_t count =
      ::send(of.socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

task<bool> write_within(session& of, const session_rules& rules, std::string text) {
  const std::size_t sent = write_now(of, text);
  if (sent == text.size()) co_return true;
  text.erase(0, sent);
  auto done = co_await with_deadline(write_text(of, std::move(text)), rules.options.write_deadline, "answer");
  co_return done.has_value();
}

// The pieces of a stream until it ends; false when the client does not take them.
task<bool> pump(session& of, const session_rules& rules, const response& what, framing body) {
  for (;;) {
    auto piece = co_await what.next();
    if (!piece) break;
    if (piece->empty()) continue;  // an empty chunk would end the stream
    const bool sent =
        co_await write_within(of, rules, body == framing::chunked ? chunk(*piece) : std::move(*piece));
    if (!sent) co_return false;
  }
  if (body != framing::chunked) co_return false;
  co_return co_await write_within(of, rules, std::string(last_chunk));
}

}  // namespace

task<bool> send_answer(session& of, const session_rules& rules, const response& what, std::string method,
                       int version, bool keep_alive) {
  const framing body = framing_of(what, method, version);
  const bool silent = method == "HEAD" || body == framing::none;
  std::string text = head_text(what, body, keep_alive);
  if (!silent && !what.body.empty()) text += body == framing::chunked ? chunk(what.body) : what.body;
  const bool sent = co_await write_within(of, rules, std::move(text));
  if (!sent || silent || !what.next) co_return sent&& keep_alive;
  auto whole = co_await while_connected(of, pump(of, rules, what, body));
  co_return whole.value_or(false) && keep_alive;
}

}  // namespace difyd::http
