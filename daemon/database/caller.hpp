// Blocking calls on a lane, one after the other, each with a deadline that holds.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "difyd/base/cell.hpp"
#include "difyd/base/lane.hpp"
#include "session.hpp"

namespace difyd::database {

class caller {
 public:
  caller(asio::any_io_executor executor, std::string name)
      : busy_(executor, false),
        lane_(std::move(executor), std::move(name)),
        interrupt_(std::make_shared<interrupter>()) {}

  const std::shared_ptr<interrupter>& interrupt() const { return interrupt_; }

  // `call` owns what it uses (an overrun call is abandoned, not ended). At the deadline the
  // socket that it watches is shut, so that the lane comes free again.
  template <class T>
  task<Result<T>> run(std::function<Result<T>()> call, duration limit, std::string what) {
    while (*busy_.get()) co_await busy_.changed(busy_.version());
    busy_.set(true);
    const turn mine(*this);
    auto result = co_await lane_.run(std::move(call), limit, std::move(what));
    if (!result && result.error().code == "deadline-exceeded") interrupt_->fire();
    co_return result;
  }

 private:
  // Cancellation leaves by an exception and must give the turn back as well.
  class turn {
   public:
    explicit turn(caller& owner) : owner_(owner) {}
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn() { owner_.busy_.set(false); }

   private:
    caller& owner_;
  };

  cell<bool> busy_;
  lane lane_;
  std::shared_ptr<interrupter> interrupt_;
};

}  // namespace difyd::database
