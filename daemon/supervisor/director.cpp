#include "director.hpp"

#include <algorithm>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

namespace difyd::supervisor {

director::director(asio::any_io_executor executor, failure_handler on_failure)
    : executor_(executor),
      on_failure_(std::move(on_failure)),
      submitted_(executor, asio::steady_timer::time_point::max()) {}

void director::submit(operation request) {
  if (request.urgency == priority::converge)
    for (const auto& each : queue_)
      if (each.urgency == priority::converge) return;
  const bool interrupts =
      running_ && running_->urgency < priority::command && request.urgency >= priority::command;
  queue_.push_back(std::move(request));
  if (interrupts) active_->cancel();
  submitted_.cancel();
}

void director::raise(priority to) {
  if (running_ && running_->urgency < to) running_->urgency = to;
}

void director::lower(priority to) {
  if (running_ && running_->urgency > to) running_->urgency = to;
}

bool director::busy_with(priority at_least) const {
  return (running_ && running_->urgency >= at_least) || awaited_by(at_least);
}

bool director::awaited_by(priority at_least) const {
  return std::any_of(queue_.begin(), queue_.end(),
                     [&](const auto& each) { return each.urgency >= at_least; });
}

std::optional<operation> director::take() {
  if (queue_.empty() || stopping_) return std::nullopt;
  auto first = std::max_element(queue_.begin(), queue_.end(),
                                [](const auto& a, const auto& b) { return a.urgency < b.urgency; });
  std::optional<operation> result(std::move(*first));
  queue_.erase(first);
  return result;
}

task<void> director::run() {
  for (;;) {
    running_ = take();
    if (!running_) {
      boost::system::error_code woken;
      co_await submitted_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      const auto state = co_await asio::this_coro::cancellation_state;
      if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
      continue;
    }
    active_ = std::make_unique<task_group>(executor_, on_failure_);
    active_->spawn(running_->kind, running_->work());
    co_await active_->join();
    running_.reset();
  }
}

task<void> director::stop() {
  stopping_ = true;
  queue_.clear();
  if (!active_) co_return;
  active_->cancel();
  co_await active_->join();
}

}  // namespace difyd::supervisor
