#include "difyd/base/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <cstdlib>

namespace difyd {
namespace {

struct child {
  std::string name;
  asio::cancellation_signal signal;
};

// Empty where the exception is the child's own cancellation.
std::string failure_text(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted ? std::string() : std::string(error.what());
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

struct task_group::state {
  asio::any_io_executor executor;
  failure_handler on_failure;
  std::list<child> children;
  asio::steady_timer empty;

  explicit state(asio::any_io_executor where, failure_handler handler)
      : executor(where),
        on_failure(std::move(handler)),
        empty(where, asio::steady_timer::time_point::max()) {}
};

task_group::task_group(asio::any_io_executor executor, failure_handler on_failure)
    : state_(std::make_shared<state>(std::move(executor), std::move(on_failure))) {}

task_group::~task_group() {
  if (state_->children.empty()) return;
  std::fprintf(stderr, "difyd: task group destroyed while \"%s\" runs\n",
               state_->children.front().name.c_str());
  std::abort();
}

void task_group::spawn(std::string name, task<void> work) {
  auto place = state_->children.emplace(state_->children.end());
  place->name = std::move(name);
  auto ended = [state = state_, place](const std::exception_ptr& failure) {
    const std::string what = failure ? failure_text(failure) : std::string();
    const std::string child_name = place->name;
    state->children.erase(place);
    if (state->children.empty()) state->empty.cancel();
    if (!what.empty() && state->on_failure) state->on_failure(child_name, what);
  };
  asio::co_spawn(state_->executor, std::move(work),
                 asio::bind_cancellation_slot(place->signal.slot(), std::move(ended)));
}

void task_group::cancel() {
  // A child may end, and so leave the list, while its signal is emitted.
  for (auto place = state_->children.begin(); place != state_->children.end();) {
    auto next = std::next(place);
    asio::post(state_->executor, [state = state_, target = &*place] {
      for (auto& each : state->children)
        if (&each == target) return each.signal.emit(asio::cancellation_type::terminal);
    });
    place = next;
  }
}

task<void> task_group::join() {
  auto state = state_;
  while (!state->children.empty()) {
    boost::system::error_code woken;
    co_await state->empty.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

std::size_t task_group::running() const { return state_->children.size(); }

std::vector<std::string> task_group::names() const {
  std::vector<std::string> result;
  for (const auto& each : state_->children) result.push_back(each.name);
  return result;
}

}  // namespace difyd
