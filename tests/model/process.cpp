// From the start to the ending: supervisor/start.cpp, upgrading.cpp, and record() of upgrade_work.cpp.
#include "process.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "../../daemon/supervisor/start_choice.hpp"

namespace difyd::modelled {
namespace {

using upgrade::step;

ledger::entry_state state_of(upgrade::mark_state state) {
  if (state == upgrade::mark_state::begun) return ledger::entry_state::begin;
  return state == upgrade::mark_state::done ? ledger::entry_state::done : ledger::entry_state::failed;
}

upgrade::mark_state state_of(ledger::entry_state state) {
  if (state == ledger::entry_state::begin) return upgrade::mark_state::begun;
  return state == ledger::entry_state::done ? upgrade::mark_state::done : upgrade::mark_state::failed;
}

version as_version(int number) { return {1, number, 0, {}}; }

bool held(const ledger::record& book) {
  if (!book.in_flight) return false;
  for (const auto& line : book.history)
    if (line.id == book.in_flight->id && line.result == ledger::ending::held) return true;
  return false;
}

upgrade::decision back_past_return(const std::vector<upgrade::mark>& journal, bool abort) {
  auto forgetful = journal;
  for (auto& each : forgetful) each.irreversible = false;
  return upgrade::next(forgetful, abort);
}

upgrade::decision two_attempts_more(const std::vector<upgrade::mark>& journal, bool abort) {
  std::vector<upgrade::mark> forgetful;
  int forgotten = 0;
  for (const auto& each : journal) {
    const bool failure = each.state == upgrade::mark_state::failed && each.at >= step::start;
    if (failure && &each != &journal.back() && ++forgotten <= 2)
      forgetful.pop_back();
    else
      forgetful.push_back(each);
  }
  return upgrade::next(forgetful, abort);
}

upgrade::decider decider_of(defect wrong) {
  if (wrong == defect::puts_back_past_return) return back_past_return;
  return wrong == defect::two_attempts_more ? two_attempts_more : upgrade::next;
}

}  // namespace

// As marks_of in supervisor/upgrade_work.cpp, with the failures' sentences.
std::vector<upgrade::mark> marks_of(const ledger::journal& journal) {
  std::vector<upgrade::mark> marks{{step::prepare, upgrade::mark_state::done, false}};
  for (const auto& entry : journal.entries)
    if (const auto at = upgrade::parse_step(entry.step))
      marks.push_back({*at, state_of(entry.state), entry.irreversible, entry.detail});
  const auto& last = marks.back();
  if ((last.at == step::commit || last.at == step::put_back) && last.state == upgrade::mark_state::done)
    marks.pop_back();
  return marks;
}

process::process(asio::io_context& loop, world& w, int machine)
    : w_(w), machine_(machine), aborted_(loop, asio::steady_timer::time_point::max()) {
  w.abort = false;
  w.silence = false;
  if (machine == 0) w.alive = true;
}

task<void> process::at(const char* what) {
  w_.pass(machine_, what);
  // keep_lease in supervisor/leasing.cpp.
  if (had_lease_ && w_.lease == -1 && w_.owner == machine_) (void)take_lease();
  const bool irreversible = inherited_ || irreversible_in_journal();
  if (!w_.abort || !stepping_ || !upgrade::abort_interrupts(step_, irreversible)) co_return;
  aborted_.cancel();
  asio::steady_timer cancelled(aborted_.get_executor(), asio::steady_timer::time_point::max());
  co_await cancelled.async_wait(asio::use_awaitable);
}

task<void> process::abort() {
  if (w_.abort) co_return;
  try {
    co_await aborted_.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    if (!w_.abort) throw;
  }
}

bool process::take_lease() {
  if (is(defect::no_lease)) return true;
  if (had_lease_) fence();
  if (w_.reachable(machine_) && w_.lease == -1) w_.lease = w_.owner = machine_;
  had_lease_ = had_lease_ || w_.lease == machine_;
  return w_.lease == machine_;
}

// still_ours in supervisor/leasing.cpp, asked before a write and before whatever is started.
void process::fence() {
  if (w_.plan.bundled || is(defect::no_fence) || w_.owner == machine_ || !had_lease_) return;
  w_.note("another machine has, or had, the lease: this process ends");
  throw crashed{machine_};
}

// ledger/book.cpp: a change that cannot be written changes nothing.
task<Result<>> process::write(change next) {
  if (!next) co_return fail(next.error());
  co_await at("writes to the share");
  fence();
  if (w_.share_away > 0) {
    --w_.share_away;
    w_.note("the write fails");
    if (w_.share_lands) w_.share = *next;
    w_.unknown_landing = unsettled_ = true;
    // may_write in supervisor/links.cpp: an upgrade that is under way waits.
    if (journaled_ && !abort_requested() && !is(defect::impatient)) co_return co_await write(std::move(next));
    co_return fail("disk-full", "cannot write the ledger");
  }
  w_.writing(machine_, *next);
  w_.share = book_ = *next;
  w_.unknown_landing = unsettled_ = false;
  co_await at("has written");
  co_return Result<>{};
}

task<Result<>> process::record(upgrade::mark entry, std::string detail) {
  stepping_ = false;
  if (entry.at <= step::prepare) co_return Result<>{};
  ledger::journal_entry line;
  line.step = upgrade::to_text(entry.at);
  line.state = state_of(entry.state);
  line.detail = std::move(detail);
  line.irreversible = entry.irreversible;
  Result<> written;
  if (!journaled_) {
    ledger::journal journal;
    journal.id = id_;
    journal.from = as_version(from_);
    journal.to = as_version(to_);
    // In one write with the first entry: a crash between two would lose what the entry inherits.
    if (!is(defect::begins_empty)) journal.entries = {line};
    written = co_await write(ledger::with_upgrade(book_, std::move(journal)));
    journaled_ = written.has_value();
    if (journaled_ && is(defect::begins_empty)) written = co_await write(ledger::with_entry(book_, line));
  } else {
    written = co_await write(ledger::with_entry(book_, std::move(line)));
  }
  co_return is(defect::lies_about_share) ? Result<>{} : written;
}

// tell_ledger in supervisor/upgrading.cpp.
task<Result<>> process::tell_ledger(const upgrade::outcome& outcome) {
  if (!journaled_) co_return Result<>{};
  const std::string reason = outcome.reason.message;
  switch (outcome.end) {
    case upgrade::ending::done:
      co_return co_await write(with_ending(book_, ledger::ending::done, {}, committed_, {}));
    case upgrade::ending::held:
      co_return co_await write(with_ending(book_, ledger::ending::held, reason, {}, {}));
    case upgrade::ending::undone:
    case upgrade::ending::refused:
      break;
  }
  co_return co_await write(with_ending(book_, ledger::ending::undone, reason, {}, {}));
}

bool process::irreversible_in_journal() const {
  if (!book_.in_flight) return false;
  for (const auto& entry : book_.in_flight->entries)
    if (entry.irreversible) return true;
  return false;
}

bool process::irreversible_before() const { return inherited_; }

task<standing> process::carry_through(int to, std::string id, std::vector<upgrade::mark> marks) {
  id_ = std::move(id);
  to_ = to;
  journaled_ = !marks.empty();
  inherited_ = !is(defect::inherited_forgotten) && irreversible_in_journal();
  committed_.reset();
  const auto outcome = co_await upgrade::run(*this, std::move(marks), decider_of(w_.wrong));
  stepping_ = false;
  w_.note("ends as " + std::string(upgrade::to_text(outcome.end)) + ": " + outcome.reason.message);
  if (outcome.end != upgrade::ending::done && outcome.reason.message.empty())
    w_.violated("an upgrade ends as " + std::string(upgrade::to_text(outcome.end)) + " without a reason");
  // Another machine has the lease, and with it the ledger: it goes on. This process ends itself.
  if (outcome.reason.code == "lease-lost") throw crashed{machine_};
  const auto told = co_await tell_ledger(outcome);
  if (!told) co_return standing{standing::holding, told.error().message};
  if (outcome.end == upgrade::ending::held) co_return standing{standing::holding, outcome.reason.message};
  co_return standing{standing::serving, outcome.reason.message};
}

// Lease and schema revision where the database is reachable without the stack; false: not yet.
task<bool> process::reach_database() {
  for (int patience = 0; patience < 100; ++patience) {
    if (w_.reachable(machine_) && take_lease()) co_return true;
    if (w_.reachable(machine_) && w_.lease == 1 - machine_) co_return false;
    co_await at("waits for the database");
  }
  co_return false;
}

task<standing> process::boot() {
  co_await at("starts");
  if (!engine_answers()) co_return standing{};
  book_ = w_.share;
  w_.unknown_landing = false;
  if (!w_.plan.bundled && !co_await reach_database())
    co_return w_.lease == 1 - machine_ ? standing{standing::waiting_for_lease, {}} : standing{};
  supervisor::start_facts facts;
  facts.configured = as_version(w_.plan.by_boot ? 2 : 1);
  facts.deployed = book_.deployed->version;
  facts.ledger_revision = book_.deployed->revision;
  if (!w_.plan.bundled) facts.database = revision{std::to_string(w_.revision)};
  facts.settled = settled_;
  facts.at_hand = !w_.plan.to_fetch;
  if (book_.in_flight) facts.in_flight = book_.in_flight->to;
  facts.held = held(book_);
  const auto choice = supervisor::choose_start(facts);
  switch (choice.action) {
    case supervisor::start_action::hold:
      co_return standing{standing::holding, choice.reason};
    case supervisor::start_action::resume:
      from_ = book_.in_flight->from->minor;
      co_return co_await carry_through(book_.in_flight->to.minor, book_.in_flight->id,
                                       marks_of(*book_.in_flight));
    case supervisor::start_action::run_then_upgrade: {
      const auto ran = co_await run_deployed();
      if (ran.at == standing::holding) co_return ran;
      settled_ = settled_ || ran.at == standing::serving;
      [[fallthrough]];
    }
    case supervisor::start_action::upgrade: {
      from_ = book_.deployed->version.minor;
      auto where = co_await carry_through(2, "boot" + std::to_string(w_.point), {});
      // Refused: what is deployed serves on, or is brought up.
      if (where.at == standing::holding || journaled_) co_return where;
      co_return co_await run_deployed();
    }
    case supervisor::start_action::run:
      co_return co_await run_deployed();
    case supervisor::start_action::install:
    case supervisor::start_action::adopt:
      break;
  }
  w_.violated("difyd would install over what is deployed");
}

task<standing> process::run_deployed() {
  const int which = book_.deployed->version.minor;
  watches_ = true;
  if (w_.plan.bundled)
    if (auto up = co_await data_up(which); !up) co_return standing{};
  if (!w_.reachable(machine_) || !take_lease()) co_return standing{};
  if (w_.revision != w_.head(which)) co_return standing{standing::holding, "revision-mismatch"};
  if (!w_.has_release(machine_, which)) w_.violated("a machine without the deployed release has to start it");
  if (auto up = co_await bring_all_up(which); !up) co_return standing{};
  if (auto good = co_await await_answers(which); !good) co_return standing{};
  co_return standing{standing::serving, {}};
}

task<bool> process::still_serves() {
  if (w_.dockerd_away > 0 || w_.database_away > 0) co_return false;
  const auto good = co_await await_answers(book_.deployed->version.minor);
  co_return good.has_value() && take_lease();
}

task<standing> process::live() {
  for (;;) {
    auto stands = co_await boot();
    for (int rest = 0; stands.at == standing::serving || stands.at == standing::holding; ++rest) {
      settled_ = true;
      co_await at("rests");
      // What could not be written may have landed: the file is made to say what memory says.
      if (unsettled_ && !is(defect::unsettled_write)) (void)co_await write(book_);
      int to = 0;
      if (machine_ == 0 && !w_.plan.by_boot && !w_.asked && stands.at == standing::serving) to = 2;
      if (w_.fix && stands.at == standing::holding && held(book_)) to = 3;
      if (to == 0) {
        // Whatever is still under way comes to an end first; what fell is started again.
        if (stands.at == standing::serving && !watches_)
          w_.violated("it serves, and nobody looks whether it runs");
        if (stands.at == standing::serving && !co_await still_serves()) break;
        const bool settling = unsettled_ && !is(defect::unsettled_write);
        if (rest >= 3 && !settling) co_return stands;
        continue;
      }
      (to == 2 ? w_.asked : w_.fix) = to == 2;
      w_.note("an operator asks for version " + std::to_string(to));
      w_.abort = false;
      from_ = book_.deployed->version.minor;
      const auto before = std::exchange(stands, co_await carry_through(to, "asked" + std::to_string(to), {}));
      // Refused: as it was.
      if (stands.at == standing::serving && !journaled_ && before.at == standing::holding) stands = before;
    }
    if (stands.at == standing::waiting_for_lease) co_return stands;
    // Not yet: the start is proposed again.
    co_await at("tries again");
  }
}

}  // namespace difyd::modelled
