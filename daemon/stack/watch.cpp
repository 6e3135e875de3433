#include "difyd/stack/watch.hpp"

#include <charconv>
#include <random>

#include "difyd/stack/labels.hpp"

namespace difyd::stack {
namespace {

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool matters(const std::string& action) {
  for (const char* each : {"create", "start", "die", "stop", "kill", "oom", "destroy", "rename", "pause",
                           "unpause", "health_status", "restart", "update"})
    if (action == each) return true;
  return false;
}

// A fifth up or down, so that several watchers do not look at the same moment.
duration with_jitter(duration time) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto spread = time.count() / 5;
  if (spread == 0) return time;
  return time + duration(std::uniform_int_distribution<duration::rep>(-spread, spread)(random));
}

class watcher {
 public:
  watcher(engine::client& engine, std::string project, watch_options options)
      : engine_(engine), project_(std::move(project)), options_(std::move(options)) {}

  task<void> run() {
    auto retry = options_.first_retry;
    for (;;) {
      const auto opened = std::chrono::steady_clock::now();
      auto failure = co_await follow();
      if (options_.on_lost) options_.on_lost(failure);
      if (std::chrono::steady_clock::now() - opened > options_.most_retry) retry = options_.first_retry;
      co_await pause(with_jitter(retry));
      retry = std::min(retry * 2, options_.most_retry);
    }
  }

 private:
  // One life of the stream; gives the reason of its end.
  task<Error> follow() {
    if (engine_.version().api.empty()) {
      auto connected = co_await engine_.connect();
      if (!connected) co_return connected.error();
    }
    engine::filter_map filters;
    filters["type"] = {"container"};
    filters["label"] = {std::string(label::project) + "=" + project_};
    auto since = last_ == 0 ? std::string() : engine::since_text(last_);
    auto stream = co_await engine_.events(std::move(filters), std::move(since));
    if (!stream) co_return stream.error();
    if (options_.on_open) options_.on_open();
    auto looked = co_await look();
    if (!looked) co_return looked.error();
    co_return co_await first_of(read(std::move(*stream)), resync());
  }

  task<Error> read(engine::event_stream stream) {
    for (;;) {
      auto event = co_await stream.next();
      if (!event) co_return event.error();
      if (!*event) co_return Error{"engine-unreachable", "the engine ended its event stream", ""};
      tell(**event);
    }
  }

  task<Error> resync() {
    for (;;) {
      co_await pause(options_.resync.count() > 0 ? with_jitter(options_.resync)
                                                 : duration(std::chrono::hours(24)));
      if (options_.resync.count() == 0) continue;
      auto looked = co_await look();
      if (!looked) co_return looked.error();
    }
  }

  // Both run; the first to end ends the other.
  static task<Error> first_of(task<Error> one, task<Error> other) {
    auto executor = co_await asio::this_coro::executor;
    auto group =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(one), asio::deferred),
                                                asio::co_spawn(executor, std::move(other), asio::deferred));
    auto [order, failure, error, other_failure, other_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const bool first = order[0] == 0;
    if (auto thrown = first ? failure : other_failure) std::rethrow_exception(thrown);
    co_return first ? error : other_error;
  }

  task<Result<>> look() {
    if (!options_.on_observed) co_return Result<>{};
    auto now = co_await observe(engine_, project_, options_.observe);
    if (!now) co_return std::unexpected(now.error());
    options_.on_observed(*now);
    co_return Result<>{};
  }

  void tell(const engine::event& e) {
    // The engine repeats the moment of `since`; two events of one nanosecond are told apart by what they say. An
    // earlier one is of a clock that was set back.
    if (e.time_nano == last_ && seen_.contains(e.id + e.action)) return;
    if (e.time_nano != last_) seen_.clear();
    last_ = e.time_nano;
    seen_.insert(e.id + e.action);
    if (const auto event = container_event_of(e); event && options_.on_event) options_.on_event(*event);
  }

  engine::client& engine_;
  std::string project_;
  watch_options options_;
  std::int64_t last_ = 0;
  std::set<std::string> seen_;  // events of the moment last_
};

}  // namespace

std::optional<container_event> container_event_of(const engine::event& e) {
  if (e.type != "container") return std::nullopt;
  const auto colon = e.action.find(':');
  container_event event;
  event.action = e.action.substr(0, colon);
  if (!matters(event.action)) return std::nullopt;
  if (colon != std::string::npos) event.health = e.action.substr(e.action.find_first_not_of(' ', colon + 1));
  event.id = e.id;
  event.name = e.attribute("name");
  event.service = e.attribute(label::service);
  event.exit_code = number_in(e.attribute("exitCode"));
  event.signal = number_in(e.attribute("signal"));
  event.one_off = e.attribute(label::one_off) == "True";
  event.time_nano = e.time_nano;
  return event;
}

task<void> watch(engine::client& engine, std::string project, watch_options options) {
  watcher one(engine, std::move(project), std::move(options));
  co_await one.run();
}

}  // namespace difyd::stack
