// Owner of spawned coroutines: nothing runs that somebody does not wait for.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd {

// Children run on the group's executor, one thread. The owner calls cancel() and then
// awaits join() before the group is destroyed; a group destroyed with running children ends
// the process, because what they refer to is gone.
class task_group {
 public:
  // Told when a child ends by an exception other than its own cancellation.
  using failure_handler = std::function<void(const std::string& child, const std::string& what)>;

  explicit task_group(asio::any_io_executor executor, failure_handler on_failure = {});
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  ~task_group();

  void spawn(std::string name, task<void> work);
  void cancel();
  task<void> join();
  std::size_t running() const;
  std::vector<std::string> names() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

// Runs every task at once, waits for all of them, and gives their results in order. When the
// caller is cancelled the children are cancelled and waited for.
template <class T>
task<std::vector<T>> when_all(std::vector<task<T>> tasks) {
  if (tasks.empty()) co_return std::vector<T>{};
  auto executor = co_await asio::this_coro::executor;
  using operation = decltype(asio::co_spawn(executor, std::move(tasks[0]), asio::deferred));
  std::vector<operation> operations;
  operations.reserve(tasks.size());
  for (auto& each : tasks) operations.push_back(asio::co_spawn(executor, std::move(each), asio::deferred));
  auto [order, failures, results] = co_await asio::experimental::make_parallel_group(std::move(operations))
                                        .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
  for (auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
  co_return std::move(results);
}

}  // namespace difyd
