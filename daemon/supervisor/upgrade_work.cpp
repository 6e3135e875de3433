#include "upgrade_work.hpp"

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "guarding.hpp"
#include "keeping.hpp"
#include "leasing.hpp"
#include "load_release.hpp"
#include "owed_commands.hpp"
#include "silence.hpp"

namespace difyd::supervisor {
namespace {

using upgrade::mark;
using upgrade::mark_state;
using upgrade::step;

ledger::entry_state entry_state_of(mark_state state) {
  if (state == mark_state::begun) return ledger::entry_state::begin;
  return state == mark_state::done ? ledger::entry_state::done : ledger::entry_state::failed;
}

mark_state mark_state_of(ledger::entry_state state) {
  if (state == ledger::entry_state::begin) return mark_state::begun;
  return state == ledger::entry_state::done ? mark_state::done : mark_state::failed;
}

// Up to the end of prepare nothing is changed, so nothing needs to be remembered.
bool needs_journal(step at) { return at > step::prepare; }

}  // namespace

upgrade_work::upgrade_work(world& w, std::string id, version to, std::string origin, bool journaled,
                           upgrade_terms terms)
    : world_(w),
      id_(std::move(id)),
      to_(std::move(to)),
      origin_(std::move(origin)),
      terms_(std::move(terms)),
      journaled_(journaled),
      resumed_(journaled) {
  if (const auto& former = w.book->current().in_flight)
    for (const auto& entry : former->entries) inherited_ = inherited_ || entry.irreversible;
  if (journaled && w.book->current().in_flight)
    from_ = w.book->current().in_flight->from;
  else if (w.book->current().deployed)
    from_ = w.book->current().deployed->version;
}

upgrade_work::~upgrade_work() { world_.guarded.set(std::nullopt); }

std::optional<upgrade::guarded> upgrade_work::guard_of(step at) const {
  const bool silent = at == step::backup || at == step::migrate;
  const bool started = at == step::start || at == step::verify || at == step::commit;
  if ((!silent && !started) || !target_) return std::nullopt;
  auto rules = guard_rules(world_, id_, target_->project, started);
  rules.role = world_.database ? world_.database->where().user : world_.settings.database.user;
  return rules;
}

task<Result<>> upgrade_work::record(mark entry, std::string detail) {
  show(entry, detail);
  // Before a step that needs it begins, and off before one that it would disturb.
  if (entry.state == mark_state::begun) world_.guarded.set(guard_of(entry.at));
  // The silence that stop has proven is kept from then on.
  if (entry.at == step::stop && entry.state == mark_state::done) world_.guarded.set(guard_of(step::backup));
  if (!needs_journal(entry.at)) co_return Result<>{};
  const auto now = std::chrono::system_clock::now();
  ledger::journal_entry line;
  line.step = upgrade::to_text(entry.at);
  line.state = entry_state_of(entry.state);
  line.at = now;
  line.detail = std::move(detail);
  line.irreversible = entry.irreversible;
  if (!journaled_) {
    // Begun together with its first entry: one write, so that no crash leaves one without the other.
    ledger::journal journal;
    journal.id = id_;
    journal.from = from_;
    journal.to = to_;
    journal.started_at = now;
    journal.origin = origin_;
    journal.entries.push_back(std::move(line));
    journal.owed = owed_by(heeded_, to_);
    auto begun = co_await world_.book->begin_upgrade(std::move(journal));
    journaled_ = begun.has_value();
    co_return begun;
  }
  auto written = co_await world_.book->append(std::move(line));
  (void)co_await still_ours(world_);  // the write may have taken its time
  co_return written;
}

void upgrade_work::show(mark entry, const std::string& detail) {
  const auto now = std::chrono::steady_clock::now();
  if (entry.state == mark_state::begun) world_.step_began = now;
  const double seconds =
      world_.step_began ? std::chrono::duration<double>(now - *world_.step_began).count() : 0;
  control::event event;
  event.operation = id_;
  event.kind = "step";
  event.subject = upgrade::to_text(entry.at);
  event.state = upgrade::to_text(entry.state);
  if (entry.state != mark_state::begun)
    event.text = to_text(std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds))) +
                 (detail.empty() ? "" : ", " + detail);
  world_.events.add(event);

  auto operation = world_.operation.get()->value_or(control::operation_status{});
  if (entry.state == mark_state::begun)
    operation.steps.push_back({event.subject, "begun", to_rfc3339(std::chrono::system_clock::now()), 0, {}});
  else if (!operation.steps.empty()) {
    operation.steps.back().state = event.state;
    operation.steps.back().seconds = seconds;
    operation.steps.back().detail = detail;
  }
  world_.operation.set(std::move(operation));
}

task<Result<release_ptr>> upgrade_work::target() {
  if (target_) co_return target_;
  if (resumed_)
    if (auto images = co_await images_in_force(world_, to_); !images) co_return fail(images.error());
  // What is carried forward comes from the release that served, not from an older copy of this one.
  auto loaded = co_await load_release(world_, to_, from_, laying_out::yes,
                                      resumed_ ? origin::in_force : origin::bundle);
  if (!loaded) co_return loaded;
  if (resumed_)
    if (auto images = co_await have_images(world_, project_of(*loaded), id_); !images)
      co_return fail(images.error());
  target_ = *loaded;
  co_return loaded;
}

task<Result<release_ptr>> upgrade_work::source() {
  if (source_ || !from_) co_return source_;
  auto loaded = co_await load_release(world_, *from_, from_, laying_out::yes, origin::in_force);
  if (loaded) source_ = *loaded;
  co_return loaded;
}

std::vector<mark> marks_of(const ledger::journal& journal) {
  std::vector<mark> marks;
  // The steps before the journal begins passed, else there would be none.
  marks.push_back({step::prepare, mark_state::done, false});
  for (const auto& entry : journal.entries)
    if (const auto at = upgrade::parse_step(entry.step))
      marks.push_back({*at, mark_state_of(entry.state), entry.irreversible, entry.detail});
  // What commit found out was lost with the process, and whether what was put back still runs: entered again.
  const auto& last = marks.back();
  if ((last.at == step::commit || last.at == step::put_back) && last.state == mark_state::done)
    marks.pop_back();
  return marks;
}

}  // namespace difyd::supervisor
