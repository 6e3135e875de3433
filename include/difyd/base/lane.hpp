// A thread for a library that blocks (libpqxx, name resolution): one per endpoint.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "difyd/base/task.hpp"

namespace difyd {

// One call in flight at a time; others wait for their turn, outside their own deadline. A call that
// overruns its deadline is abandoned: the caller gets an error at once, the lane refuses who waits and
// further calls (code "lane-busy") until the library returns, and the late result is dropped. The thread is
// never joined: a call inside a library cannot be cancelled, so the process ends by _exit.
class lane {
 public:
  lane(asio::any_io_executor executor, std::string name);
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  ~lane();

  // `call` runs on the lane's thread and must not throw or touch values of the loop's thread
  // other than those that it owns.
  template <class T>
  task<Result<T>> run(std::function<Result<T>()> call, duration limit, std::string what) {
    auto slot =
        std::make_shared<Result<T>>(fail("lane-abandoned", "cannot " + what + ": the call was dropped"));
    auto outcome =
        co_await submit([slot, call = std::move(call)] { *slot = call(); }, limit, std::move(what));
    if (!outcome) co_return std::unexpected(std::move(outcome.error()));
    co_return std::move(*slot);
  }

 private:
  struct state;
  task<Result<>> submit(std::function<void()> job, duration limit, std::string what);
  std::shared_ptr<state> state_;
};

}  // namespace difyd
