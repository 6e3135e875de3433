#include "event_log.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "difyd/base/clock.hpp"
#include "difyd/base/log.hpp"

namespace difyd::supervisor {

event_log::event_log(asio::any_io_executor executor, std::size_t kept)
    : added_(std::move(executor), asio::steady_timer::time_point::max()), kept_(kept) {}

std::uint64_t event_log::add(control::event event) {
  event.sequence = ++last_;
  event.time = to_rfc3339(std::chrono::system_clock::now());
  const bool failed = event.state == "failed";
  const auto level = failed                   ? log::level::error
                     : event.kind == "output" ? log::level::debug
                                              : log::level::info;
  log::write(level, event.kind, event.text.empty() ? event.state : event.text,
             {{"operation", event.operation}, {"subject", event.subject}, {"state", event.state}});
  events_.push_back(std::move(event));
  if (events_.size() > kept_) events_.pop_front();
  added_.cancel();
  return last_;
}

void event_log::tell(std::string operation, std::string kind, std::string subject, std::string state,
                     std::string text) {
  control::event event;
  event.operation = std::move(operation);
  event.kind = std::move(kind);
  event.subject = std::move(subject);
  event.state = std::move(state);
  event.text = std::move(text);
  add(std::move(event));
}

task<std::vector<control::event>> event_log::after(std::uint64_t seen) {
  while (last_ <= seen) {
    boost::system::error_code woken;
    co_await added_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }
  std::vector<control::event> result;
  for (const auto& each : events_)
    if (each.sequence > seen) result.push_back(each);
  co_return result;
}

}  // namespace difyd::supervisor
