#include "difyd/http/client.hpp"

#include <limits>

#include "exchange.hpp"
#include "stream_state.hpp"

namespace difyd::http {
namespace {

constexpr std::size_t max_error_body = 1u << 20;

response head_of(const exchange& of) { return {of.answer->head.status, of.answer->head.headers, {}, {}}; }

std::string describe(const request& what, const endpoint& where) {
  return what.method + " " + std::string(what.path()) + " at " + to_text(where);
}

// Reads until the answer is complete.
task<Result<response>> complete(exchange of) {
  std::string body;
  while (!of.answer->done()) {
    auto step = co_await advance(of);
    if (!step) co_return std::unexpected(std::move(step.error()));
    body += std::exchange(of.answer->body, {});
  }
  body += of.answer->body;
  finish(of);
  response result = head_of(of);
  result.body = std::move(body);
  co_return std::move(result);
}

task<Result<response>> send_whole(client_ptr owner, request what, std::size_t max_body) {
  auto of = co_await begin(std::move(owner), std::move(what), max_body);
  if (!of) co_return std::unexpected(std::move(of.error()));
  co_return co_await complete(std::move(*of));
}

task<Result<upgraded>> upgrade_whole(client_ptr owner, request what) {
  auto of = co_await begin(std::move(owner), std::move(what), std::numeric_limits<std::uint64_t>::max());
  if (!of) co_return std::unexpected(std::move(of.error()));
  upgraded result{head_of(*of), std::nullopt};
  const int status = result.answer.status;
  if (status == 101 || status == 200) {
    result.stream.emplace(std::make_unique<raw_stream::state>(std::move(of->link), of->owner->where));
    co_return std::move(result);
  }
  body_stream refusal(std::make_unique<body_stream::state>(std::move(*of)));
  auto body = co_await refusal.read_all(no_deadline, max_error_body);
  if (!body) co_return std::unexpected(std::move(body.error()));
  result.answer.body = std::move(*body);
  co_return std::move(result);
}

}  // namespace

client::client(asio::any_io_executor executor, endpoint where) : state_(std::make_shared<state>()) {
  state_->executor = std::move(executor);
  state_->where = std::move(where);
}
client::~client() = default;
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;

const endpoint& client::where() const { return state_->where; }

task<Result<response>> client::send(request what, send_options options) {
  std::string text = describe(what, state_->where);
  return within(send_whole(state_, std::move(what), options.max_body), options.deadline, std::move(text));
}

task<Result<body_stream>> client::open(request what, duration header_deadline) {
  auto owner = state_;
  std::string text = describe(what, owner->where);
  auto of = co_await within(begin(owner, std::move(what), std::numeric_limits<std::uint64_t>::max()),
                            header_deadline, std::move(text));
  if (!of) co_return std::unexpected(std::move(of.error()));
  co_return body_stream(std::make_unique<body_stream::state>(std::move(*of)));
}

task<Result<upgraded>> client::upgrade(request what, duration header_deadline) {
  std::string text = describe(what, state_->where);
  what.headers.set("Connection", "Upgrade");
  what.headers.set("Upgrade", "tcp");
  return within(upgrade_whole(state_, std::move(what)), header_deadline, std::move(text));
}

}  // namespace difyd::http
