#include "leasing.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "engine_work.hpp"
#include "links.hpp"
#include "operations.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr int lost_to_another = 75;

// The machine's own stack of another project: two never share a lease.
std::string same_machine_text(const world& w, const database::owner& other) {
  const auto self = database::this_machine().machine_id + '/';
  if (!other.machine_id.starts_with(self) || other.machine_id == self + w.settings.project) return {};
  return "; that is this machine, as project " + other.machine_id.substr(self.size()) +
         ": was project renamed in the configuration? Another Dify on one server wants a lease database of "
         "its own (database.lease)";
}

std::string owner_text(const world& w, const database::owner& other) {
  return "held by " + other.hostname + " (" + other.client_address + ") since " + other.taken_at +
         ", renewed at " + other.renewed_at + same_machine_text(w, other);
}

std::string silence_text(const world& w, const database::owner& former) {
  const database::inheritance rules;
  return "free, but the stack of " + former.hostname + " (" + former.client_address +
         ") may still run: it is taken " + to_text(rules.renewal) + " after its last renewal (" +
         former.renewed_at + ") and " + to_text(rules.quiet) + " without a session from there" +
         same_machine_text(w, former);
}

// What another machine's version must not meet.
task<void> stop_what_runs(world& w) {
  auto seen = co_await look(w);
  if (!seen) co_return;
  auto plan = stack::plan_stop(nullptr, *seen);
  if (plan.empty()) co_return;
  log::warning("lease", "another machine has the lease: the stack is stopped here");
  if (auto stopped = co_await carry_out(w, std::move(plan), "stand-down"); !stopped)
    log::error("lease", "cannot stop the stack", {{"cause", stopped.error().message}});
}

// What other machines must know: whether this one's containers may be at work on the databases.
bool stack_is_up(const world& w) {
  const auto at = w.stands.get()->at;
  if (at == phase::serving || at == phase::upgrading) return true;
  const auto now = w.observed.get();
  return std::any_of(now->containers.begin(), now->containers.end(),
                     [](const auto& each) { return !each.one_off && each.running(); });
}

// With the lease there is nobody else who gives it a name. What fails is done at the next start.
task<void> name_the_share(world& w, std::shared_ptr<database::lease> lease) {
  if (!w.share || !w.share->empty()) co_return;
  const std::string identity = random_hex(16);
  auto told = co_await w.storage.write(".difyd/share-id", identity + "\n", 0644);
  if (told) w.share = identity;
  if (told) told = co_await lease->belong_to(identity);
  if (!told) log::warning("share", "it has no identity yet", {{"cause", told.error().message}});
}

Error with_another_dify_in_mind(Error error) {
  if (error.code == "database-permission")
    error.remedy += "; or, where that is another Dify's: name a lease database of its own (database.lease)";
  return error;
}

// What only waits has nothing to finish: a command that an operator gives meanwhile takes its place.
class gives_way {
 public:
  explicit gives_way(director& chief) : chief_(chief) {
    if (!chief_.running()) return;
    before_ = chief_.running()->urgency;
    chief_.lower(priority::converge);
  }
  gives_way(const gives_way&) = delete;
  gives_way& operator=(const gives_way&) = delete;
  ~gives_way() { chief_.raise(before_); }

 private:
  director& chief_;
  priority before_ = priority::converge;
};

// Once for each cause, to who follows the operation.
void tell_waiting(world& w, std::string& told, const std::string& why) {
  if (why == std::exchange(told, why)) return;
  if (const auto& now = *w.operation.get()) w.events.tell(now->id, "step", now->kind, "waiting", why);
}

}  // namespace

database::identity identity_of(const world& w) {
  auto self = database::this_machine();
  self.machine_id += '/' + w.settings.project;  // another project here is another owner
  return self;
}

task<Result<grip>> take_lease(world& w) {
  const auto lease = w.lease;
  if (lease->held() && co_await lease->check()) co_return grip::held;
  auto state = co_await lease->acquire(w.share);
  // Of two machines that begin on an empty share one gives it its name; the other one looked before.
  if (!state && state.error().code == "share-foreign" && w.share && w.share->empty() &&
      co_await read_share_identity(w))
    state = co_await lease->acquire(w.share);
  if (!state) {
    w.lease_text.set("not held: " + state.error().message);
    co_return fail(with_another_dify_in_mind(state.error()));
  }
  if (state->held)
    w.lease_text.set("held since " + to_rfc3339(std::chrono::system_clock::now()));
  else if (state->free && state->other)
    w.lease_text.set(silence_text(w, *state->other));
  else
    w.lease_text.set(state->other ? owner_text(w, *state->other) : "held by another machine");
  if (state->held) co_await name_the_share(w, lease);
  if (state->held) co_return state->other ? grip::inherited : grip::held;
  // A lock that another one has for a moment, to read the row, is not his.
  co_return state->other && state->other->machine_id != identity_of(w).machine_id ? grip::lost : grip::open;
}

task<Result<>> need_lease(world& w) {
  const auto lease = co_await take_lease(w);
  if (!lease) co_return fail(lease.error());
  if (!has_lease(*lease)) co_return fail("lease-lost", "cannot go on: the lease is " + *w.lease_text.get());
  co_return Result<>{};
}

task<Result<>> still_ours(world& w) {
  const auto lease = w.lease;
  // The stack's own database comes and goes with the steps.
  if (!lease || w.settings.database.kind == "bundled" || lease->fresh()) co_return Result<>{};
  const auto taken = co_await take_lease(w);
  if (!taken) co_return fail(taken.error());
  if (*taken == grip::lost || *taken == grip::inherited) end_without_lease(w);
  if (*taken == grip::open) co_return fail("lease-lost", "cannot go on: the lease is " + *w.lease_text.get());
  co_return Result<>{};
}

void end_without_lease(world& w) {
  log::error("lease", "ends: another machine has, or had, the lease", {{"lease", *w.lease_text.get()}});
  ::_exit(lost_to_another);
}

task<Result<>> await_lease(world& w) {
  const auto patience = std::chrono::steady_clock::now() + 30s;
  const gives_way waits(w.chief);
  std::string told;
  for (;;) {
    const auto taken = co_await take_lease(w);
    if (taken && has_lease(*taken)) co_return Result<>{};
    if (!taken && taken.error().code == "share-foreign") co_return fail(taken.error());
    if (!taken && w.settings.database.kind == "bundled") {
      // Nobody but the start brings it up: where it ended, or does not answer, the start begins again.
      if (auto runs = link_database(w); !runs) co_return fail(runs.error());
      if (std::chrono::steady_clock::now() > patience) co_return fail(taken.error());
      stand(w, w.stands.get()->at, sentence(taken.error()));
      co_await pause(1s);
      continue;
    }
    const std::string why = taken ? "the database is " + *w.lease_text.get() : sentence(taken.error());
    stand(w, phase::waiting_for_lease, why);
    tell_waiting(w, told, why);
    if (taken && *taken == grip::lost) co_await stop_what_runs(w);
    co_await pause(3s);
  }
}

task<Result<>> renew_lease(world& w) {
  const auto lease = w.lease;
  const auto deployed = w.book ? w.book->current().deployed : std::nullopt;
  co_return co_await lease->renew(deployed ? deployed->version.text() : std::string(), stack_is_up(w));
}

task<void> keep_lease(world& w) {
  bool told_up = false;
  auto told_at = std::chrono::steady_clock::time_point::min();
  std::string complaint;
  for (;;) {
    co_await pause(2s);
    const auto lease = w.lease;
    // Before the first lease there is nothing to keep; the start takes it.
    const auto at = w.stands.get()->at;
    const bool start_takes_it = (at == phase::starting && !fallen(w)) || at == phase::waiting_for_lease;
    if (!lease || (start_takes_it && !lease->held())) continue;
    const bool up = stack_is_up(w);
    const auto now = std::chrono::steady_clock::now();
    if (lease->held() && up == told_up && now < told_at + 10s) continue;
    const auto renewed = co_await renew_lease(w);
    told_up = up;
    told_at = now;
    if (renewed) complaint.clear();
    if (renewed || lease->held()) continue;
    w.lease_text.set("lost: " + renewed.error().message);
    const auto taken = co_await take_lease(w);
    const auto stands = w.stands.get()->at;
    if (taken && *taken == grip::held)
      log::info("lease", "taken again");
    else if (!taken || *taken == grip::open) {
      const std::string cause = taken ? renewed.error().message : taken.error().message;
      if (cause != std::exchange(complaint, cause))
        log::warning("lease", "cannot renew the lease", {{"cause", cause}});
    } else if (stands == phase::upgrading || stands == phase::holding || *taken == grip::inherited)
      end_without_lease(w);
    else if (stands == phase::serving || stands == phase::starting)
      propose_stand_down(w);
  }
}

}  // namespace difyd::supervisor
