#include "difyd/host/systemd.hpp"

#include "bus.hpp"
#include "difyd/base/lane.hpp"

namespace difyd::host {
namespace {

// The library's own deadlines come first; the lane's is for a library that does not keep them.
constexpr duration slack = std::chrono::seconds(2);

bus::deadline in(duration limit) { return std::chrono::steady_clock::now() + limit; }

}  // namespace

struct systemd::state_of_it {
  explicit state_of_it(asio::any_io_executor executor) : calls(std::move(executor), "systemd") {}

  task<Result<>> job(std::string method, std::string verb, std::string unit, duration limit) {
    const std::string what = verb + " " + unit;
    std::function<Result<bool>()> work = [method, verb, unit, limit]() -> Result<bool> {
      if (auto done = bus::run_job(method, verb, unit, in(limit)); !done) return fail(done.error());
      return true;
    };
    auto done = co_await calls.run<bool>(std::move(work), limit + slack, what);
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<>{};
  }

  lane calls;
};

systemd::systemd(asio::any_io_executor executor)
    : state_(std::make_shared<state_of_it>(std::move(executor))) {}

task<Result<unit_state>> systemd::state(std::string unit, duration limit) {
  auto self = state_;
  const std::string what = "ask systemd about " + unit;
  std::function<Result<unit_state>()> work = [unit, limit] { return bus::unit_state_of(unit, in(limit)); };
  co_return co_await self->calls.run<unit_state>(std::move(work), limit + slack, what);
}

task<Result<>> systemd::start(std::string unit, duration limit) {
  auto self = state_;
  co_return co_await self->job("StartUnit", "start", std::move(unit), limit);
}

task<Result<>> systemd::stop(std::string unit, duration limit) {
  auto self = state_;
  co_return co_await self->job("StopUnit", "stop", std::move(unit), limit);
}

task<Result<>> systemd::restart(std::string unit, duration limit) {
  auto self = state_;
  co_return co_await self->job("RestartUnit", "restart", std::move(unit), limit);
}

task<Result<>> systemd::reload(duration limit) {
  auto self = state_;
  std::function<Result<bool>()> work = [limit]() -> Result<bool> {
    if (auto done = bus::reload_units(in(limit)); !done) return fail(done.error());
    return true;
  };
  auto done =
      co_await self->calls.run<bool>(std::move(work), limit + slack, "have systemd read its unit files");
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<>{};
}

}  // namespace difyd::host
