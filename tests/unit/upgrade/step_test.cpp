#include "difyd/upgrade/step.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

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

      {{done(step::commit)}, "end done"},
      {{begun(step::verify), failed(step::verify)}, "enter start 1"},
      {{begun(step::commit), failed(step::commit)}, "enter start 1"},
      {{failed(step::migrate), begun(step::put_back), done(step::put_back)}, "end undone"},
      {{failed(step::migrate), begun(step::put_back), failed(step::put_back)}, "enter put-back 2"},
      {{failed(step::migrate), begun(step::put_back), failed(step::put_back, true)}, "end held"},
      {{begun(step::put_back), begun(step::put_back), begun(step::put_back), failed(step::put_back)},
       "enter put-back 2"},
  };
  for (const auto& each : rows) {
    INFO(each.expected);
    CHECK(text(next(each.journal)) == each.expected);
  }
}

namespace {

std::vector<mark> times(int count, mark each) {
  return std::vector<mark>(static_cast<std::size_t>(count), std::move(each));
}

std::vector<mark> operator+(std::vector<mark> before, std::vector<mark> after) {
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

constexpr step steps[] = {step::admit,   step::prepare, step::drain,  step::stop,   step::backup,
                          step::migrate, step::start,   step::verify, step::commit, step::put_back};

}  // namespace

TEST_CASE("next: an interrupted step is entered again, and an interruption is no failure") {
  for (const auto at : steps) {
    const std::string name(to_text(at));
    INFO(name);
    CHECK(parse_step(name) == at);
    CHECK(text(next({begun(at)})) == "enter " + name + " 1");
    CHECK(text(next({begun(at), failed(at), begun(at)})) == "enter " + name + " 2");
    CHECK(text(next(times(9, begun(at)))) == "enter " + name + " 1");
    CHECK(text(next(times(10, begun(at)))) == "end held");
    CHECK(text(next({begun(at), failed(at), begun(at), failed(at), begun(at), failed(at), begun(at)})) ==
          "end held");
  }
}

// What a later process does with each state that a journal can end in: the last mark, before the point
// of no return and past it, without and with an abort.
TEST_CASE("next: every saved state's recovery") {
  struct saved {
    step at;
    mark_state state;
    const char* before;        // the point of no return
    const char* before_abort;  // ... and an abort is asked for
    const char* past;
    const char* past_abort;
  };
  const auto b = mark_state::begun;
  const auto d = mark_state::done;
  const auto f = mark_state::failed;
  const char* held = "end held";
  const saved rows[] = {
      {step::drain, b, "enter drain 1", "enter put-back 1", "enter drain 1", "enter drain 1"},
      {step::drain, d, "enter stop 1", "enter put-back 1", "enter stop 1", "enter stop 1"},
      {step::drain, f, "enter put-back 1", "enter put-back 1", held, held},
      {step::stop, b, "enter stop 1", "enter stop 1", "enter stop 1", "enter stop 1"},
      {step::stop, d, "enter backup 1", "enter put-back 1", "enter backup 1", "enter backup 1"},
      {step::stop, f, "enter put-back 1", "enter put-back 1", held, held},
      {step::backup, b, "enter backup 1", "enter put-back 1", "enter backup 1", "enter backup 1"},
      {step::backup, d, "enter migrate 1", "enter put-back 1", "enter migrate 1", "enter migrate 1"},
      {step::backup, f, "enter put-back 1", "enter put-back 1", held, held},
      {step::migrate, b, "enter migrate 1", "enter migrate 1", "enter migrate 1", "enter migrate 1"},
      {step::migrate, d, "enter start 1", "enter start 1", "enter start 1", "enter start 1"},
      {step::migrate, f, "enter put-back 1", "enter put-back 1", held, held},
      {step::start, b, "enter start 1", "enter start 1", "enter start 1", "enter start 1"},
      {step::start, d, "enter verify 1", "enter verify 1", "enter verify 1", "enter verify 1"},
      {step::start, f, "enter start 2", "enter start 2", "enter start 2", "enter start 2"},
      {step::verify, b, "enter verify 1", "enter verify 1", "enter verify 1", "enter verify 1"},
      {step::verify, d, "enter commit 1", "enter commit 1", "enter commit 1", "enter commit 1"},
      {step::verify, f, "enter start 1", "enter start 1", "enter start 1", "enter start 1"},
      {step::commit, b, "enter commit 1", "enter commit 1", "enter commit 1", "enter commit 1"},
      {step::commit, d, "end done", "end done", "end done", "end done"},
      {step::commit, f, "enter start 1", "enter start 1", "enter start 1", "enter start 1"},
      {step::put_back, b, "enter put-back 1", "enter put-back 1", "enter put-back 1", "enter put-back 1"},
      {step::put_back, d, "end undone", "end undone", "end undone", "end undone"},
      {step::put_back, f, "enter put-back 2", "enter put-back 2", held, held},
  };
  for (const auto& each : rows) {
    std::vector<mark> journal{done(step::prepare), begun(each.at)};
    if (each.state != b) journal.push_back({each.at, each.state, false});
    INFO(to_text(each.at) << " " << to_text(each.state));
    CHECK(text(next(journal)) == each.before);
    CHECK(text(next(journal, true)) == each.before_abort);
    journal.front().irreversible = true;
    CHECK(text(next(journal)) == each.past);
    CHECK(text(next(journal, true)) == each.past_abort);
  }
}

TEST_CASE("next: after the third failure a step is not entered again") {
  const auto thrice = [](step at) {
    std::vector<mark> journal;
    for (int i = 0; i < 3; ++i) journal = journal + std::vector<mark>{begun(at), failed(at)};
    return journal;
  };
  const std::vector<mark> past{done(step::migrate, true)};
  CHECK(text(next(thrice(step::start))) == "enter put-back 1");
  CHECK(text(next(past + thrice(step::start))) == "end held");
  CHECK(text(next(thrice(step::verify))) == "enter put-back 1");
  CHECK(text(next(past + thrice(step::verify))) == "end held");
  CHECK(text(next(thrice(step::commit))) == "end held");
  CHECK(text(next(thrice(step::put_back))) == "end held");
  // What fell after it was started is started again, as often as its check may fail.
  CHECK(text(next({begun(step::start), done(step::start), begun(step::verify), failed(step::verify),
                   begun(step::start), done(step::start)})) == "enter verify 2");
}

TEST_CASE("next: an abort goes back where that is possible and is not heard elsewhere") {
  CHECK(text(next({}, true)) == "end refused");
  CHECK(text(next({begun(step::admit)}, true)) == "end refused");
  CHECK(text(next({done(step::prepare)}, true)) == "end refused");
  CHECK(text(next({done(step::stop, true)}, true)) == "enter backup 1");
  // Of a release that replaces a held one.
  CHECK(text(next({done(step::prepare, true)}, true)) == "end refused");
  for (const auto at : steps) {
    const bool touches_nothing = at == step::admit || at == step::prepare;
    CHECK(abort_interrupts(at, false) == (touches_nothing || at == step::drain || at == step::backup));
    CHECK(abort_interrupts(at, true) == touches_nothing);
  }
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

namespace {

// Ready only after a while, or never; asks to abort while a step or the wait goes on.
class waiting_world : public failing_world {
 public:
  step aborts = step::commit;
  bool aborted = false;
  bool lost = false;
  bool deaf = false;  // nobody aborts
  bool replaces_held = false;
  int readies = 0;

  task<Result<>> ready(step at) override {
    ++readies;
    if (lost && at == step::migrate) co_return fail("lease-lost", "another machine has the lease");
    co_return Result<>{};
  }
  bool irreversible_before() const override { return replaces_held; }
  bool abort_requested() const override { return aborted; }
  task<void> abort() override {
    if (aborted) co_return;
    co_await pause(std::chrono::milliseconds(1));
    if (aborts == now && !deaf) aborted = true;
    if (!aborted) co_await effects::abort();
  }
  task<step_result> slow(step at) {
    now = at;
    trace += std::string(to_text(at)) + " ";
    if (aborts == at) co_await effects::abort();  // for ever
    co_return step_result{true, false, {}, {}};
  }
  task<step_result> prepare() override { return slow(step::prepare); }
  task<step_result> drain() override { return slow(step::drain); }
  task<step_result> backup() override { return slow(step::backup); }

 private:
  step now = step::admit;
};

}  // namespace

TEST_CASE("run: an abort ends a long step at once") {
  for (const auto at : {step::prepare, step::drain, step::backup}) {
    waiting_world world;
    world.aborts = at;
    const auto result = run_task(run(world, {}));
    CHECK(result.end == (at == step::prepare ? ending::refused : ending::undone));
    CHECK(result.reason.code == "aborted");
    CHECK(world.trace.find(to_text(at)) != std::string::npos);
    CHECK((world.trace.find("put-back") != std::string::npos) == (at != step::prepare));
  }
}

TEST_CASE("run: past the point of no return an abort ends what has touched nothing, and nothing else") {
  waiting_world early;
  early.aborts = step::prepare;
  early.replaces_held = true;
  const auto refused = run_task(run(early, {}));
  CHECK(refused.end == ending::refused);
  CHECK(refused.reason.code == "aborted");
  CHECK(early.trace == "admit prepare ");

  waiting_world late;
  late.aborted = true;
  CHECK(run_task(run(late, {done(step::stop, true)})).end == ending::done);
  CHECK(late.trace == "backup migrate start verify commit ");
}

TEST_CASE("run: the end of the daemon in a step that an abort could end is no abort") {
  waiting_world world;
  world.aborts = step::drain;
  world.deaf = true;
  asio::io_context loop;
  asio::cancellation_signal ending;
  std::exception_ptr failure;
  bool ended = false;
  const auto over = [&](std::exception_ptr error, outcome) {
    failure = error;
    ended = true;
  };
  asio::co_spawn(loop, run(world, {}), asio::bind_cancellation_slot(ending.slot(), over));
  for (int i = 0; i < 1000 && world.trace != "admit prepare drain "; ++i)
    loop.run_one_for(std::chrono::milliseconds(10));
  REQUIRE(world.trace == "admit prepare drain ");
  ending.emit(asio::cancellation_type::terminal);
  loop.run_for(std::chrono::seconds(5));
  CHECK(ended);
  CHECK(failure);
  CHECK(world.trace == "admit prepare drain ");
}

TEST_CASE(
    "run: every step after prepare waits for what it stands on; a lost lease ends it without an entry") {
  waiting_world world;
  CHECK(run_task(run(world, {})).end == ending::done);
  CHECK(world.readies == 7);

  waiting_world loser;
  loser.lost = true;
  const auto result = run_task(run(loser, {}));
  CHECK(result.end == ending::held);
  CHECK(result.reason.code == "lease-lost");
  CHECK(loser.trace == "admit prepare drain stop backup ");
}

TEST_CASE("run: an ending has the reason that an earlier process came upon") {
  failing_world world;
  mark fell = failed(step::migrate, true);
  fell.detail = "the migration failed";
  auto result = run_task(run(world, {begun(step::migrate), fell}));
  CHECK(result.end == ending::held);
  CHECK(result.reason.message == "the migration failed");
  result = run_task(run(world, {begun(step::migrate), failed(step::migrate, true)}));
  CHECK(result.reason.message == "step migrate failed");

  result = run_task(run(world, times(10, begun(step::stop))));
  CHECK(result.end == ending::held);
  CHECK(result.reason.code == "interrupted");

  // A retry that helped is no reason for anything.
  failing_world again;
  again.fails = step::verify;
  again.times = 1;
  result = run_task(run(again, {}));
  CHECK(result.end == ending::done);
  CHECK(result.reason.code == "");
  CHECK(again.trace == "admit prepare drain stop backup migrate start verify start verify commit ");
}

TEST_CASE("run: a step that is tried again gets time first, more each time; the way back gets none") {
  class resting : public failing_world {
   public:
    task<void> rest(int failures) override {
      trace += "(" + std::to_string(failures) + ") ";
      co_return;
    }
  };
  resting again;
  again.fails = step::verify;
  again.times = 2;
  CHECK(run_task(run(again, {})).end == ending::done);
  CHECK(again.trace ==
        "admit prepare drain stop backup migrate start verify (1) start verify (2) start verify commit ");

  resting back;
  back.fails = step::start;
  back.times = 3;
  CHECK(run_task(run(back, {})).end == ending::undone);
  CHECK(back.trace == "admit prepare drain stop backup migrate start (1) start (2) start put-back ");

  resting unmoved;
  unmoved.fails = step::migrate;
  unmoved.times = 1;
  CHECK(run_task(run(unmoved, {})).end == ending::undone);
  CHECK(unmoved.trace == "admit prepare drain stop backup migrate put-back ");
}

TEST_CASE("run: where the first entry cannot be written nothing has changed") {
  failing_world world;
  world.fails = step::drain;
  world.recording_fails = true;
  const auto result = run_task(run(world, {}));
  CHECK(result.end == ending::refused);
  CHECK(world.trace == "admit prepare ");
}

TEST_CASE("run: the point of no return of a held upgrade is in the first entry of the one that replaces it") {
  class heir : public failing_world {
   public:
    bool irreversible_before() const override { return true; }
    task<Result<>> record(mark entry, std::string) override {
      all = all && entry.irreversible;
      co_return Result<>{};
    }
    bool all = true;
  };
  heir world;
  world.fails = step::stop;
  world.times = 1;
  CHECK(run_task(run(world, {})).end == ending::held);
  CHECK(world.all);
}
