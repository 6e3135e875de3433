#include "difyd/base/lane.hpp"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "difyd/base/wakeup.hpp"

namespace difyd {

struct lane::state {
  asio::any_io_executor executor;
  std::string name;
  // Loop's thread only: a call is in flight, and when its deadline is.
  bool busy = false;
  std::chrono::steady_clock::time_point deadline;
  wakeup freed;

  std::mutex mutex;
  std::condition_variable wake;
  std::function<void()> job;
  bool stopping = false;
};

namespace {

template <class State>
void work(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), state->name.substr(0, 15).c_str());
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->wake.wait(lock, [&] { return state->job || state->stopping; });
    if (state->stopping) return;
    auto job = std::exchange(state->job, nullptr);
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace

lane::lane(asio::any_io_executor executor, std::string name) : state_(std::make_shared<state>()) {
  state_->executor = std::move(executor);
  state_->name = std::move(name);
  std::thread([state = state_] { work(state); }).detach();
}

lane::~lane() {
  const std::lock_guard lock(state_->mutex);
  state_->stopping = true;
  state_->wake.notify_one();
}

task<Result<>> lane::submit(std::function<void()> job, duration limit, std::string what) {
  using steady = std::chrono::steady_clock;
  auto state = state_;
  while (state->busy) {
    const auto left = std::chrono::ceil<duration>(state->deadline - steady::now());
    if (left.count() <= 0)
      co_return fail("lane-busy",
                     "cannot " + what + ": an earlier call to " + state->name + " has not returned");
    co_await state->freed.wait(state->freed.version(), left);
  }
  state->busy = true;
  state->deadline = steady::now() + limit;
  struct completion {
    explicit completion(const asio::any_io_executor& executor, duration time) : timer(executor, time) {}
    asio::steady_timer timer;
    bool done = false;
  };
  auto finished = std::make_shared<completion>(state->executor, limit);
  {
    const std::lock_guard lock(state->mutex);
    state->job = [state, finished, job = std::move(job)]() mutable {
      job();
      // Moved: the timer must not die on this thread, where the loop may be gone already.
      asio::post(state->executor, [state, finished = std::move(finished)] {
        state->busy = false;
        state->freed.all();
        finished->done = true;
        finished->timer.cancel();
      });
    };
  }
  state->wake.notify_one();
  boost::system::error_code woken;
  co_await finished->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  // A machine that slept wakes with the timer expired and the completion waiting behind it.
  if (!finished->done) co_await asio::post(state->executor, asio::use_awaitable);
  if (finished->done) co_return Result<>{};
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return std::unexpected(deadline_error(what, limit));
}

}  // namespace difyd
