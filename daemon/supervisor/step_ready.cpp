// Between the steps: what the next one stands on is there, and whether an operator wants to go back.
#include "difyd/base/log.hpp"
#include "leasing.hpp"
#include "mounting.hpp"
#include "restore_rules.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

}  // namespace

// Empty where everything is there; else what is not.
task<std::string> upgrade_work::missing() {
  if (auto engine = co_await world_.engine.ping(5s); !engine) co_return engine.error().message;
  if (auto storage = co_await have_storage(world_, id_); !storage) co_return storage.error().message;
  if (world_.dead_mounts)
    if (auto free = co_await let_go_of_dead_mounts(world_, id_); !free) co_return free.error().message;
  // The stack's own database comes and goes with the steps.
  if (world_.settings.database.kind == "bundled" || !world_.lease) co_return std::string();
  const auto lease = co_await take_lease(world_);
  if (!lease) co_return lease.error().message;
  if (*lease == grip::lost || *lease == grip::inherited) end_without_lease(world_);
  co_return *lease == grip::held ? std::string() : "the lease is " + *world_.lease_text.get();
}

task<Result<>> upgrade_work::ready(upgrade::step at) {
  // The guard must know the new release before the step of a resumed upgrade is begun.
  if (at >= upgrade::step::backup)
    if (auto to = co_await target(); !to) log::warning("upgrade", to.error().message);
  std::string told;
  // Before drain nothing of this upgrade is done: it ends without going back.
  const bool passed = at > upgrade::step::drain && past_return(world_.book->current());
  const bool no_way_back = passed || at >= upgrade::step::migrate;
  while (!abort_requested() || no_way_back) {
    const auto what = co_await missing();
    if (what.empty()) break;
    if (what != told) {
      stand(world_, phase::upgrading, "the upgrade to " + to_.text() + " waits: " + what);
      world_.events.tell(id_, "step", std::string(upgrade::to_text(at)), "waiting", what);
    }
    told = what;
    co_await pause(1s);
  }
  if (!told.empty()) stand(world_, phase::upgrading, "upgrading to " + to_.text());
  co_return Result<>{};
}

task<void> upgrade_work::rest(int failures) {
  const auto seconds = failures < 2 ? 2s : 8s;
  const auto before = world_.stands.get()->message;
  stand(world_, phase::upgrading,
        "the upgrade to " + to_.text() + " tries again in " + to_text(duration(seconds)) + " what failed");
  co_await pause(seconds);
  stand(world_, phase::upgrading, before);
}

task<void> upgrade_work::abort() {
  while (!abort_requested()) co_await world_.abort_asked.changed(world_.abort_asked.version());
}

}  // namespace difyd::supervisor
