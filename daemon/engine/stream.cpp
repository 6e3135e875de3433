#include "decode.hpp"
#include "errors.hpp"
#include "stream_state.hpp"

namespace difyd::engine {
namespace {

template <class Item, class State>
std::optional<Item> take(State& from) {
  if (from.ready.empty()) return std::nullopt;
  std::optional<Item> result(std::move(from.ready.front()));
  from.ready.pop_front();
  return result;
}

template <class State>
task<Result<std::optional<frame>>> next_frame(State& of, duration idle) {
  while (of.ready.empty()) {
    auto piece = co_await of.bytes.read(idle);
    if (!piece) co_return std::unexpected(no_answer(of.what, piece.error(), idle));
    if (!*piece) co_return std::nullopt;
    auto frames = of.decoder.feed(**piece);
    if (!frames) co_return std::unexpected(std::move(frames.error()));
    for (auto& each : *frames) of.ready.push_back(std::move(each));
  }
  co_return take<frame>(of);
}

template <class State>
task<Result<std::optional<event>>> next_event(State& of, duration idle) {
  while (of.ready.empty()) {
    auto piece = co_await of.bytes.read(idle);
    if (!piece) co_return std::unexpected(no_answer(of.what, piece.error(), idle));
    if (!*piece) co_return std::nullopt;
    auto objects = of.splitter.feed(**piece);
    if (!objects) co_return std::unexpected(std::move(objects.error()));
    for (const auto& each : *objects) {
      auto decoded = decode_event(each);
      if (!decoded) co_return std::unexpected(std::move(decoded.error()));
      of.ready.push_back(std::move(*decoded));
    }
  }
  co_return take<event>(of);
}

template <class State>
task<Result<exit_status>> exit_of(State& of, duration limit) {
  auto body = co_await of.bytes.read_all(limit);
  if (!body) co_return std::unexpected(no_answer(of.what, body.error(), limit));
  if (body->empty())  // the engine ended before the container did
    co_return fail("engine-unreachable", "cannot " + of.what + ": the Docker Engine ended the connection");
  co_return decode_exit(*body, of.what);
}

template <class State>
task<Result<>> write_to(State& of, std::string bytes, duration deadline) {
  auto done = co_await of.bytes.write(std::move(bytes), deadline);
  if (!done) co_return std::unexpected(no_answer(of.what, done.error(), deadline));
  co_return Result<>{};
}

}  // namespace

log_stream::log_stream() = default;
log_stream::log_stream(std::unique_ptr<state> of) : state_(std::move(of)) {}
log_stream::log_stream(log_stream&&) noexcept = default;
log_stream& log_stream::operator=(log_stream&&) noexcept = default;
log_stream::~log_stream() = default;
task<Result<std::optional<frame>>> log_stream::next(duration idle) { return next_frame(*state_, idle); }

event_stream::event_stream() = default;
event_stream::event_stream(std::unique_ptr<state> of) : state_(std::move(of)) {}
event_stream::event_stream(event_stream&&) noexcept = default;
event_stream& event_stream::operator=(event_stream&&) noexcept = default;
event_stream::~event_stream() = default;
task<Result<std::optional<event>>> event_stream::next(duration idle) { return next_event(*state_, idle); }

attached_stream::attached_stream() = default;
attached_stream::attached_stream(std::unique_ptr<state> of) : state_(std::move(of)) {}
attached_stream::attached_stream(attached_stream&&) noexcept = default;
attached_stream& attached_stream::operator=(attached_stream&&) noexcept = default;
attached_stream::~attached_stream() = default;
task<Result<std::optional<frame>>> attached_stream::next(duration idle) { return next_frame(*state_, idle); }
task<Result<>> attached_stream::write(std::string bytes, duration deadline) {
  return write_to(*state_, std::move(bytes), deadline);
}
void attached_stream::close_input() { state_->bytes.close_write(); }

exit_wait::exit_wait() = default;
exit_wait::exit_wait(std::unique_ptr<state> of) : state_(std::move(of)) {}
exit_wait::exit_wait(exit_wait&&) noexcept = default;
exit_wait& exit_wait::operator=(exit_wait&&) noexcept = default;
exit_wait::~exit_wait() = default;
task<Result<exit_status>> exit_wait::result(duration limit) { return exit_of(*state_, limit); }

}  // namespace difyd::engine
