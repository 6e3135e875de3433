#include "difyd/upgrade/step.hpp"

#include "catch.hpp"
#include "difyd/upgrade/runner.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::upgrade;

namespace {

mark begun(step at) { return {at, mark_state::begun, false}; }
mark done(step at, bool irreversible = false) { return {at, mark_state::done, irreversible}; }
mark failed(step at, bool irreversible = false) { return {at, mark_state::failed, irreversible}; }

std::string text(const decision& value) {
  if (!value.enter) return "end " + std::string(to_text(value.end));
  return "enter " + std::string(to_text(*value.enter)) + " " + std::to_string(value.attempt);
}

struct row {
  std::vector<mark> journal;
  const char* expected;
};

}  // namespace

TEST_CASE("next: every transition") {
  const row rows[] = {
      {{}, "enter admit 1"},
      {{begun(step::admit), done(step::admit)}, "enter prepare 1"},
      {{begun(step::admit), failed(step::admit)}, "end refused"},
      {{done(step::prepare)}, "enter drain 1"},
      {{failed(step::prepare)}, "end refused"},
      {{done(step::drain)}, "enter stop 1"},
      {{failed(step::drain)}, "enter put-back 1"},
      {{done(step::stop)}, "enter backup 1"},
      {{failed(step::stop)}, "enter put-back 1"},
      {{failed(step::stop, true)}, "end held"},
      {{done(step::backup)}, "enter migrate 1"},
      {{failed(step::backup)}, "enter put-back 1"},
      {{done(step::migrate, true)}, "enter start 1"},
      {{failed(step::migrate)}, "enter put-back 1"},
      {{failed(step::migrate, true)}, "end held"},
      {{done(step::start)}, "enter verify 1"},
      {{begun(step::start), failed(step::start)}, "enter start 2"},
      {{begun(step::start), failed(step::start), begun(step::start), failed(step::start), begun(step::start),
        failed(step::start)},
       "enter put-back 1"},
      {{done(step::migrate, true), begun(step::start), failed(step::start), begun(step::start),
        failed(step::start), begun(step::start), failed(step::start)},
       "end held"},
      {{done(step::verify)}, "enter commit 1"},
      {{begun(step::verify), failed(step::verify)}, "enter verify 2"},
      {{done(step::commit)}, "end done"},
      {{begun(step::commit), failed(step::commit)}, "enter commit 2"},
      {{begun(step::commit), begun(step::commit), begun(step::commit), failed(step::commit)}, "end held"},
      {{failed(step::migrate), begun(step::put_back), done(step::put_back)}, "end undone"},
      {{failed(step::migrate), begun(step::put_back), failed(step::put_back)}, "enter put-back 2"},
      {{failed(step::migrate), begun(step::put_back), failed(step::put_back, true)}, "end held"},
      {{begun(step::put_back), begun(step::put_back), begun(step::put_back), failed(step::put_back)},
       "end held"},
  };
  for (const auto& each : rows) {
    INFO(each.expected);
    CHECK(text(next(each.journal)) == each.expected);
  }
}

TEST_CASE("next: an interrupted step is entered again, three times at most") {
  for (const auto at : {step::admit, step::prepare, step::drain, step::stop, step::backup, step::migrate,
                        step::start, step::verify, step::commit, step::put_back}) {
    const std::string name(to_text(at));
    CHECK(text(next({begun(at)})) == "enter " + name + " 2");
    CHECK(text(next({begun(at), begun(at)})) == "enter " + name + " 3");
    CHECK(text(next({begun(at), begun(at), begun(at)})) == "end held");
    CHECK(parse_step(name) == at);
  }
}

TEST_CASE("next: an abort goes back before the migration and is not heard after it") {
  CHECK(text(next({}, true)) == "end refused");
  CHECK(text(next({done(step::prepare)}, true)) == "end refused");
  CHECK(text(next({done(step::stop)}, true)) == "enter put-back 1");
  CHECK(text(next({done(step::stop, true)}, true)) == "end held");
  CHECK(text(next({begun(step::migrate)}, true)) == "enter migrate 2");
  CHECK(text(next({done(step::verify)}, true)) == "enter commit 1");
}

namespace {

// A world in which one step fails a given number of times.
class failing_world : public effects {
 public:
  step fails = step::commit;
  int times = 0;
  bool moved = false;
  bool recording_fails = false;
  std::string trace;

  task<Result<>> record(mark entry, std::string) override {
    if (recording_fails && entry.at == fails) co_return fail("disk-full", "cannot write the journal");
    co_return Result<>{};
  }
  task<step_result> act(step at, bool irreversible = false) {
    trace += std::string(to_text(at)) + " ";
    if (at == fails && times-- > 0)
      co_return step_result{false, irreversible, {}, {"broken", "cannot go on", {}}};
    co_return step_result{true, irreversible, {}, {}};
  }
  task<step_result> admit() override { return act(step::admit); }
  task<step_result> prepare() override { return act(step::prepare); }
  task<step_result> drain() override { return act(step::drain); }
  task<step_result> stop() override { return act(step::stop); }
  task<step_result> backup() override { return act(step::backup); }
  task<step_result> migrate() override { return act(step::migrate, moved); }
  task<step_result> start() override { return act(step::start); }
  task<step_result> verify() override { return act(step::verify); }
  task<step_result> commit() override { return act(step::commit); }
  task<step_result> put_back() override { return act(step::put_back); }
};

}  // namespace

TEST_CASE("run: a good upgrade passes every step once") {
  failing_world world;
  const auto result = run_task(run(world, {}));
  CHECK(result.end == ending::done);
  CHECK(world.trace == "admit prepare drain stop backup migrate start verify commit ");
}

TEST_CASE("run: a migration that fails unmoved puts the old version back, moved it holds") {
  failing_world world;
  world.fails = step::migrate;
  world.times = 1;
  auto result = run_task(run(world, {}));
  CHECK(result.end == ending::undone);
  CHECK(result.reason.code == "broken");
  CHECK(world.trace == "admit prepare drain stop backup migrate put-back ");

  failing_world moved;
  moved.fails = step::migrate;
  moved.times = 1;
  moved.moved = true;
  result = run_task(run(moved, {}));
  CHECK(result.end == ending::held);
  CHECK(moved.trace == "admit prepare drain stop backup migrate ");
}

TEST_CASE("run: a step whose entry is not durable does not begin") {
  failing_world world;
  world.fails = step::stop;
  world.recording_fails = true;
  const auto result = run_task(run(world, {}));
  CHECK(result.end == ending::held);
  CHECK(result.reason.code == "disk-full");
  CHECK(world.trace == "admit prepare drain ");
}

TEST_CASE("run: goes on where an earlier process was interrupted") {
  failing_world world;
  const auto result = run_task(run(world, {done(step::backup), begun(step::migrate)}));
  CHECK(result.end == ending::done);
  CHECK(world.trace == "migrate start verify commit ");
}
