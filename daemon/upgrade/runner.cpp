#include "difyd/upgrade/runner.hpp"

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

}  // namespace

task<outcome> run(effects& world, std::vector<mark> journal) {
  outcome result;
  for (;;) {
    const decision chosen = next(journal, world.abort_requested());
    if (!chosen.enter) {
      result.end = chosen.end;
      co_return result;
    }
    const mark begun{*chosen.enter, mark_state::begun, false};
    if (auto recorded = co_await world.record(begun, {}); !recorded) {
      result.end = ending::held;
      result.reason = recorded.error();
      co_return result;
    }
    journal.push_back(begun);
    step_result step = co_await perform(world, *chosen.enter);
    if (!step.ok && result.reason.code.empty()) result.reason = step.error;
    const mark ended{*chosen.enter, step.ok ? mark_state::done : mark_state::failed, step.irreversible};
    if (auto recorded = co_await world.record(ended, step.ok ? step.detail : step.error.message); !recorded) {
      result.end = ending::held;
      if (result.reason.code.empty()) result.reason = recorded.error();
      co_return result;
    }
    journal.push_back(ended);
  }
}

}  // namespace difyd::upgrade
