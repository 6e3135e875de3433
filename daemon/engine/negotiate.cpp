// Which version of the API is spoken: HEAD /_ping, min(own, the engine's), proven by a ping of that version.
#include <charconv>

#include "errors.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

using api_number = std::pair<int, int>;
constexpr api_number oldest{1, 41};
constexpr api_number newest{1, 51};  // Engine 28.5; from 1.52 on answers lose fields that are read here

std::optional<api_number> parse_api(std::string_view text) {
  api_number result;
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, result.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, result.second);
  if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
  return result;
}

std::string api_text(api_number number) {
  return std::to_string(number.first) + "." + std::to_string(number.second);
}

std::string what_of(const http::endpoint& where) { return "reach the Docker Engine at " + to_text(where); }

// The place is in `what` already: "cannot connect to unix:///x: no such socket" -> "no such socket".
Error unreachable(const http::endpoint& where, Error cause, duration limit) {
  const std::string place = "cannot connect to " + to_text(where) + ": ";
  if (cause.message.starts_with(place)) cause.message.erase(0, place.size());
  return no_answer(what_of(where), cause, limit);
}

// "Docker/20.10.24+dfsg1 (linux)" -> "20.10.24+dfsg1"
std::string release_in(std::string_view server) {
  const auto name = server.substr(0, server.find(' '));
  return std::string(name.substr(name.find('/') + 1));
}

}  // namespace

Result<std::string> choose_api(std::string_view newest_of_engine, const std::string& where) {
  const auto offered = parse_api(newest_of_engine);
  if (!offered)
    return fail("engine-malformed-answer",
                "cannot use the Docker Engine at " + where + ": what answers there is none",
                "Check its address");
  if (*offered < oldest)
    return fail("engine-too-old",
                "cannot use the Docker Engine at " + where + ": it speaks API " + api_text(*offered) +
                    ", and difyd needs " + api_text(oldest) + " (Docker Engine 20.10)",
                "Update the Docker Engine");
  return api_text(std::min(*offered, newest));
}

task<Result<std::string>> transport::ask_api_version(duration limit) {
  Error last;
  for (const std::string method : {"HEAD", "GET"}) {
    http::send_options options{limit, 1u << 20};
    auto answer = co_await http_.send({method, "/_ping", {}, {}}, options);
    if (!answer) co_return std::unexpected(unreachable(where(), std::move(answer.error()), limit));
    if (answer->status == 200) co_return std::string(answer->headers.get("Api-Version"));
    last = refusal(what_of(where()), answer->status, answer->body);
  }
  co_return std::unexpected(std::move(last));
}

task<Result<engine_version>> transport::confirm(engine_version wanted, duration limit) {
  const std::string what = what_of(where());
  http::send_options options{limit, 1u << 20};
  auto answer = co_await http_.send({"GET", "/v" + wanted.api + "/_ping", {}, {}}, options);
  if (!answer) co_return std::unexpected(unreachable(where(), std::move(answer.error()), limit));
  if (answer->status == 400)
    co_return fail("engine-too-new",
                   "cannot " + what + ": it no longer accepts API " + wanted.api +
                       ", the newest that this difyd speaks: " + message_of(400, answer->body),
                   "Update difyd");
  if (answer->status != 200) co_return std::unexpected(refusal(what, answer->status, answer->body));
  wanted.server = release_in(answer->headers.get("Server"));
  co_return std::move(wanted);
}

task<Result<engine_version>> transport::connect(duration limit) {
  auto offered = co_await ask_api_version(limit);
  if (!offered) co_return std::unexpected(std::move(offered.error()));
  auto chosen = choose_api(*offered, to_text(where()));
  if (!chosen) co_return std::unexpected(std::move(chosen.error()));
  engine_version wanted{{}, std::move(*chosen), std::move(*offered)};
  auto confirmed = co_await confirm(std::move(wanted), limit);
  if (confirmed) version_ = *confirmed;
  co_return std::move(confirmed);
}

}  // namespace difyd::engine
