// Drives a coroutine to its end on a loop of its own, for tests.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <stdexcept>

#include "difyd/base/task.hpp"

namespace difyd {

template <class T>
T run_task(asio::io_context& loop, task<T> work, std::chrono::seconds limit = std::chrono::seconds(60)) {
  auto result = asio::co_spawn(loop, std::move(work), asio::use_future);
  loop.restart();
  const auto end = std::chrono::steady_clock::now() + limit;
  while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("test task overran its deadline");
    if (loop.run_one_for(std::chrono::milliseconds(100)) == 0 && loop.stopped()) loop.restart();
  }
  return result.get();
}

template <class T>
T run_task(task<T> work) {
  asio::io_context loop;
  return run_task(loop, std::move(work));
}

}  // namespace difyd
