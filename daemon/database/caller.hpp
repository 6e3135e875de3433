// Blocking calls on a lane, each with a deadline that holds.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "difyd/base/lane.hpp"
#include "session.hpp"

namespace difyd::database {

class caller {
 public:
  caller(asio::any_io_executor executor, std::string name)
      : lane_(std::move(executor), std::move(name)), interrupt_(std::make_shared<interrupter>()) {}

  const std::shared_ptr<interrupter>& interrupt() const { return interrupt_; }

  // `call` owns what it uses (an overrun call is abandoned, not ended). At the deadline the
  // socket that it watches is shut, so that the lane comes free again.
  template <class T>
  task<Result<T>> run(std::function<Result<T>()> call, duration limit, std::string what) {
    auto result = co_await lane_.run(std::move(call), limit, std::move(what));
    if (!result && result.error().code == "deadline-exceeded") interrupt_->fire();
    co_return result;
  }

 private:
  lane lane_;
  std::shared_ptr<interrupter> interrupt_;
};

}  // namespace difyd::database
