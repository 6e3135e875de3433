#include "upgrading.hpp"

#include "backing_up.hpp"
#include "difyd/upgrade/runner.hpp"
#include "fetching.hpp"
#include "hooks.hpp"
#include "keeping.hpp"
#include "known.hpp"
#include "page.hpp"
#include "restore_rules.hpp"
#include "upgrade_work.hpp"
#include "views.hpp"

namespace difyd::supervisor {
namespace {

task<Result<>> tell_ledger(world& w, upgrade_work& work, const upgrade::outcome& outcome) {
  if (!work.journaled()) co_return Result<>{};
  const std::string reason = outcome.reason.message;
  switch (outcome.end) {
    case upgrade::ending::done:
      co_return co_await w.book->finish_upgrade(ledger::ending::done, {}, work.committed());
    case upgrade::ending::held:
      co_return co_await w.book->finish_upgrade(ledger::ending::held, reason);
    case upgrade::ending::undone:
    case upgrade::ending::refused:
      co_return co_await w.book->finish_upgrade(ledger::ending::undone, reason);
  }
  co_return Result<>{};
}

// After the ledger has the ending, so that the hook is told what `difyd history` says.
task<void> tell_hook(world& w, std::string point) {
  const auto history = history_of(w.book->current());
  if (!history.empty()) (void)co_await run_hook(w, std::move(point), history.back());
}

ended as_done(world& w, const std::string& to) {
  w.page.set(std::nullopt);
  w.refused.reset();
  w.edited_bundle.clear();
  w.edited_overlay.clear();
  stand(w, phase::serving, "Dify " + to + " is up");
  const auto owed = w.book->current().owed.size();
  return done_as("Dify " + to + " is up and committed" +
                 (owed == 0 ? "" : "; commands of its advisories follow: difyd advisories"));
}

ended as_undone(world& w, const upgrade_work& work, const Error& reason) {
  w.page.set(std::nullopt);
  if (work.from()) {
    stand(w, phase::serving, "the upgrade was undone, Dify " + work.from()->text() + " is up");
  } else {
    // Trying the same again would fail the same way, with downtime for nobody to see.
    stand(w, phase::holding, "the first installation failed: " + reason.message,
          {"difyd up: tries the installation again"});
  }
  return {"undone", {}, reason};
}

ended as_held(world& w, const Error& reason) {
  stand(w, phase::holding, reason.message, hold_options(w.book->current(), *w.backups.get()));
  return {"held", {}, reason};
}

// An abort is of the upgrade that it found running, and of no later one.
class abort_heard {
 public:
  explicit abort_heard(world& w) : world_(w) {}
  abort_heard(const abort_heard&) = delete;
  abort_heard& operator=(const abort_heard&) = delete;
  ~abort_heard() { world_.abort_asked.set(false); }

 private:
  world& world_;
};

task<ended> carry_through(world& w, std::string id, version to, std::string origin,
                          std::vector<upgrade::mark> marks, upgrade_terms terms) {
  w.chief.raise(priority::upgrade);
  const abort_heard until_its_end(w);
  const bool resumed = !marks.empty();
  const auto before = *w.stands.get();
  upgrade_work work(w, id, to, std::move(origin), resumed, std::move(terms));
  auto status = w.operation.get()->value_or(control::operation_status{});
  status.kind = "upgrade";
  status.id = id;
  status.to = to.text();
  if (work.from()) status.from = work.from()->text();
  // What an earlier process did of it is in the journal.
  if (resumed) {
    status.started = to_rfc3339(w.book->current().in_flight->started_at);
    status.steps = steps_of(w.book->current().in_flight->entries);
  }
  w.operation.set(status);
  if (resumed) stand(w, phase::upgrading, "going on with the upgrade to " + to.text());

  const auto outcome = co_await upgrade::run(work, std::move(marks));
  const auto told = co_await tell_ledger(w, work, outcome);
  if (!told) co_return as_held(w, told.error());
  w.chief.lower(priority::command);
  switch (outcome.end) {
    case upgrade::ending::done: {
      auto done = as_done(w, to.text());
      co_await sweep_migrators(w, work.id());
      co_await prune_kept(w);
      co_await prune_parts(w, to);
      co_await tell_hook(w, "after-commit");
      co_await prune_backups(w, work.id());
      co_return done;
    }
    case upgrade::ending::undone: {
      auto undone = as_undone(w, work, outcome.reason);
      if (!work.from()) co_await put_page_up_while_down(w);
      co_await prune_kept(w);
      if (work.journaled()) co_await tell_hook(w, "on-undone");
      co_return undone;
    }
    case upgrade::ending::held: {
      auto held = as_held(w, outcome.reason);
      co_await put_page_up_while_down(w);
      co_await tell_hook(w, "on-hold");
      co_return held;
    }
    case upgrade::ending::refused:
      break;
  }
  stand(w, before.at, before.message, before.options);
  co_return ended{"refused", {}, outcome.reason};
}

}  // namespace

task<ended> upgrade_by_operator(world& w, std::string id, version to, upgrade_terms terms) {
  co_return co_await carry_through(w, std::move(id), std::move(to), "operator", {}, std::move(terms));
}

task<ended> upgrade_at_start(world& w, std::string id, version to) {
  auto how = co_await carry_through(w, std::move(id), std::move(to), "configuration", {}, {});
  if (how.result == "refused" && w.stands.get()->at != phase::serving)
    stand(w, phase::starting, how.error.message, {how.error.remedy});
  co_return how;
}

task<ended> resume_upgrade(world& w) {
  const auto journal = *w.book->current().in_flight;
  co_return co_await carry_through(w, journal.id, journal.to, journal.origin, marks_of(journal), {});
}

task<ended> put_back_by_operator(world& w, std::string id) {
  // What was asked for waited: the upgrade may have come to another end meanwhile.
  const auto& book = w.book->current();
  if (!held_upgrade(book) || book.in_flight->id != id || past_return(book))
    co_return ended{
        "refused",
        {},
        {"no-upgrade", "cannot roll back: no such upgrade is held any more", "See: difyd status"}};
  const auto journal = *book.in_flight;
  stand(w, phase::upgrading, "going back from the upgrade to " + journal.to.text());
  upgrade_work work(w, journal.id, journal.to, journal.origin, true, {});
  using upgrade::mark_state;
  constexpr auto at = upgrade::step::put_back;
  upgrade::outcome outcome{upgrade::ending::held, {}};
  if (auto begun = co_await work.record({at, mark_state::begun, false}, {}); !begun) {
    outcome.reason = begun.error();
    co_return as_held(w, outcome.reason);
  }
  const auto step = co_await work.put_back();
  const auto state = step.ok ? mark_state::done : mark_state::failed;
  auto told =
      co_await work.record({at, state, step.irreversible}, step.ok ? step.detail : step.error.message);
  if (step.ok) outcome.end = upgrade::ending::undone;
  outcome.reason = step.ok ? Error{"rolled-back", "an operator rolled it back", {}} : step.error;
  if (told) told = co_await tell_ledger(w, work, outcome);
  if (!told) co_return as_held(w, told.error());
  if (step.ok) {
    auto undone = as_undone(w, work, outcome.reason);
    co_await tell_hook(w, "on-undone");
    co_return undone;
  }
  auto held = as_held(w, outcome.reason);
  co_await put_page_up_while_down(w);
  co_return held;
}

}  // namespace difyd::supervisor
