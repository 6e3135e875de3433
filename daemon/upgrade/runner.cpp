#include "difyd/upgrade/runner.hpp"

#include <algorithm>
#include <utility>

namespace difyd::upgrade {
namespace {

task<step_result> perform(effects& world, step at) {
  switch (at) {
    case step::admit:
      return world.admit();
    case step::prepare:
      return world.prepare();
    case step::drain:
      return world.drain();
    case step::stop:
      return world.stop();
    case step::backup:
      return world.backup();
    case step::migrate:
      return world.migrate();
    case step::start:
      return world.start();
    case step::verify:
      return world.verify();
    case step::commit:
      return world.commit();
    case step::put_back:
      return world.put_back();
  }
  return world.put_back();
}

// The step's result. An abort ends a step that hears it; one that ended all the same has its own result.
task<step_result> perform_until_abort(effects& world, step at, bool irreversible) {
  if (!abort_interrupts(at, irreversible)) co_return co_await perform(world, at);
  auto executor = co_await asio::this_coro::executor;
  auto group =
      asio::experimental::make_parallel_group(asio::co_spawn(executor, perform(world, at), asio::deferred),
                                              asio::co_spawn(executor, world.abort(), asio::deferred));
  auto [order, failure, result, abort_failure] =
      co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (!failure) co_return std::move(result);
  if (order[0] == 1 && !abort_failure)
    co_return step_result{
        false, false, {}, {"aborted", "the upgrade was aborted in step " + std::string(to_text(at)), {}}};
  std::rethrow_exception(failure);
}

// The upgrade cannot go on because its next entry cannot be written.
ending without_entry(const std::vector<mark>& journal) {
  const bool nothing_changed = journal.empty() || journal.back().at < step::drain;
  return nothing_changed ? ending::refused : ending::held;
}

// How often the step that failed last has failed; 0 where what is chosen is not to try again.
int retries(const std::vector<mark>& journal, const decision& chosen) {
  if (!chosen.enter || journal.empty() || journal.back().state != mark_state::failed) return 0;
  const step failed = journal.back().at;
  if (*chosen.enter > failed) return 0;  // the way back
  return static_cast<int>(std::ranges::count_if(
      journal, [failed](const mark& each) { return each.at == failed && each.state == mark_state::failed; }));
}

// Why an upgrade ends that no step failed in.
Error reason_without_failure(const std::vector<mark>& journal, bool abort) {
  if (abort) return {"aborted", "the upgrade was aborted", {}};
  const std::string at(journal.empty() ? "admit" : to_text(journal.back().at));
  return {"interrupted", "cannot go on: step " + at + " was interrupted time and again",
          "What ends the daemon? journalctl -u difyd"};
}

}  // namespace

task<void> effects::abort() {
  asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await never.async_wait(asio::use_awaitable);
}

task<outcome> run(effects& world, std::vector<mark> journal, decider decide) {
  const bool irreversible = world.irreversible_before();
  outcome result;
  const auto failed = [&result](const Error& error) {
    if (result.reason.code.empty()) result.reason = error;
  };
  const auto without_entry_of_next = [&](const Error& error) {
    result.end = without_entry(journal);
    failed(error);
    return result;
  };
  for (const auto& each : journal)
    if (each.state == mark_state::failed)
      failed({"failed-before",
              each.detail.empty() ? "step " + std::string(to_text(each.at)) + " failed" : each.detail,
              {}});
  for (;;) {
    decision chosen = decide(journal, world.abort_requested());
    if (const int failed_before = retries(journal, chosen); failed_before > 0)
      co_await world.rest(failed_before);
    if (chosen.enter && *chosen.enter > step::prepare) {
      if (auto ready = co_await world.ready(*chosen.enter); !ready) {
        result.reason = {};
        co_return without_entry_of_next(ready.error());
      }
      chosen = decide(journal, world.abort_requested());
    }
    if (!chosen.enter) {
      result.end = chosen.end;
      if (result.end == ending::done)
        result.reason = {};
      else
        failed(reason_without_failure(journal, world.abort_requested()));
      co_return result;
    }
    const mark begun{*chosen.enter, mark_state::begun, irreversible};
    if (auto recorded = co_await world.record(begun, {}); !recorded)
      co_return without_entry_of_next(recorded.error());
    journal.push_back(begun);
    const bool no_way_back = std::ranges::any_of(journal, &mark::irreversible);
    step_result step = co_await perform_until_abort(world, *chosen.enter, no_way_back);
    if (!step.ok) failed(step.error);
    const mark ended{*chosen.enter, step.ok ? mark_state::done : mark_state::failed,
                     irreversible || step.irreversible};
    if (auto recorded = co_await world.record(ended, step.ok ? step.detail : step.error.message); !recorded) {
      result.end = ending::held;
      failed(recorded.error());
      co_return result;
    }
    journal.push_back(ended);
  }
}

}  // namespace difyd::upgrade
