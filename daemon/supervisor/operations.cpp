#include "operations.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>

#include "aside.hpp"
#include "backup_work.hpp"
#include "commands.hpp"
#include "difyd/base/text.hpp"
#include "difyd/upgrade/step.hpp"
#include "healing.hpp"
#include "judging.hpp"
#include "known.hpp"
#include "maintenance.hpp"
#include "owed_commands.hpp"
#include "rehearsing.hpp"
#include "repin.hpp"
#include "restore_rules.hpp"
#include "restoring.hpp"
#include "start.hpp"
#include "upgrading.hpp"

namespace difyd::supervisor {

void tell_ending(world& w, const control::operation_status& status, const ended& how) {
  control::event event;
  event.operation = status.id;
  event.kind = "result";
  event.subject = status.kind;
  event.state = how.result;
  event.text = how.error.code.empty() ? how.text : how.error.message;
  event.code = how.error.code;
  event.remedy = how.error.remedy;
  w.events.add(std::move(event));
}

namespace {

void tell_result(world& w, const control::operation_status& status, const ended& how) {
  auto operation = w.operation.get()->value_or(status);
  operation.result = how.result;
  w.operation.set(operation);
  tell_ending(w, status, how);
}

task<ended> until_its_place_is_taken(world& w, const control::operation_status& status, const work& what) {
  try {
    co_return co_await what(w, status.id);
  } catch (const boost::system::system_error&) {
    // Else it is the daemon that ends, and who follows sees that.
    if (w.chief.awaited_by(priority::command))
      tell_result(w, status,
                  {"refused",
                   {},
                   {"replaced", "another command took its place while it waited", "See: difyd status"}});
    throw;
  }
}

task<void> tracked(world& w, control::operation_status status, work what) {
  status.started = to_rfc3339(std::chrono::system_clock::now());
  w.operation.set(status);
  const ended how = co_await until_its_place_is_taken(w, status, what);
  tell_result(w, status, how);
  publish_now(w);
}

control::accepted submit(world& w, control::operation_status status, priority urgency, work what) {
  const control::accepted accepted{status.id, w.events.last()};
  operation request;
  request.id = status.id;
  request.kind = status.kind;
  request.urgency = urgency;
  request.work = [&w, status, what] { return tracked(w, status, what); };
  w.chief.submit(std::move(request));
  return accepted;
}

control::operation_status named(const char* kind) {
  control::operation_status status;
  status.id = random_hex(8);
  status.kind = kind;
  return status;
}

std::unexpected<Error> upgrade_under_way() {
  return fail("upgrade-in-flight", "cannot do that now: an upgrade or a restore is under way",
              "See: difyd status; an upgrade is followed with difyd upgrade --follow");
}

Result<> no_upgrade_running(const world& w) {
  if (w.chief.busy_with(priority::upgrade)) return upgrade_under_way();
  return {};
}

// One that a start has not taken up again yet is under way all the same.
Result<> no_upgrade_begun(const world& w) {
  if (!w.book || !w.book->current().in_flight || held_upgrade(w.book->current()))
    return no_upgrade_running(w);
  return upgrade_under_way();
}

Result<> may_change(const world& w, const std::string& what) {
  if (auto open = not_in_maintenance(w, what); !open) return open;
  const auto stands = w.stands.get();
  if (w.invalid_configuration)
    return fail("configuration-invalid",
                "cannot " + what + ": the configuration is not valid: " + w.invalid_configuration->message,
                "Correct it (difyd config check), then: systemctl restart difyd");
  if (w.book && w.book->current().restoring)
    return fail("restore-in-flight", "cannot " + what + ": a restore is not finished",
                "Finish it first: difyd up");
  if (w.book && stands->at != phase::waiting_for_lease && stands->at != phase::stopped) return {};
  return fail(
      "not-ready",
      "cannot " + what + ": the daemon is " + std::string(to_text(stands->at)) + ": " + stands->message,
      stands->at == phase::stopped ? "Start the stack first: difyd up" : "See: difyd check");
}

}  // namespace

Result<control::accepted> submit_command(world& w, const char* kind, work what) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  return submit(w, named(kind), priority::command, std::move(what));
}

void propose_start(world& w) { submit(w, named("converge"), priority::converge, start_up); }

void propose_heal(world& w, const std::string& cause, std::vector<std::string> ill) {
  if (w.chief.busy_with(priority::heal)) return;
  const auto status = named("heal");
  w.events.tell(status.id, "step", "heal", "begun", cause);
  submit(w, status, priority::heal,
         [ill = std::move(ill)](world& of, std::string id) { return heal(of, std::move(id), ill); });
}

void propose_mending(world& w, mount_need need) {
  if (w.chief.busy_with(priority::heal)) return;
  submit(w, named("storage"), priority::heal,
         [need](world& of, std::string id) { return mend_storage(of, std::move(id), need); });
}

void propose_stand_down(world& w) {
  if (!w.chief.busy_with(priority::command)) submit(w, named("stand-down"), priority::command, stand_down);
}

Result<control::accepted> request_upgrade(world& w, const control::upgrade_wish& wish) {
  auto wanted = parse_version(wish.version);
  if (!wanted) return fail(wanted.error());
  if (auto free = no_upgrade_begun(w); !free) return fail(free.error());
  if (auto ready = may_change(w, "upgrade"); !ready) return fail(ready.error());
  if (auto idle = nothing_aside(w, "upgrade"); !idle) return fail(idle.error());
  auto status = named("upgrade");
  status.to = wanted->text();
  if (const auto& deployed = w.book->current().deployed) status.from = deployed->version.text();
  const upgrade_terms terms{{wish.acknowledged.begin(), wish.acknowledged.end()}, wish.plan};
  return submit(w, status, priority::upgrade, [version = *wanted, terms](world& of, std::string id) {
    return upgrade_by_operator(of, std::move(id), version, terms);
  });
}

Result<control::accepted> request_rehearsal(world& w, const std::string& text, const std::string& backup) {
  auto wanted = parse_version(text);
  if (!wanted) return fail(wanted.error());
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (auto may = may_run_aside(w, "rehearse"); !may) return fail(may.error());
  if (auto idle = nothing_aside(w, "rehearse"); !idle) return fail(idle.error());
  if (auto may = may_rehearse(w, *wanted, backup); !may) return fail(may.error());
  auto status = named("rehearsal");
  status.to = wanted->text();
  return submit_aside(w, status, [to = *wanted, backup](world& of, std::string id) {
    return rehearse(of, std::move(id), to, backup);
  });
}

Result<control::accepted> request_resume(world& w) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  const auto* held = w.book ? held_upgrade(w.book->current()) : nullptr;
  if (!held) return fail("nothing-held", "cannot resume: no upgrade is held", "See: difyd status");
  if (auto ready = may_change(w, "upgrade"); !ready) return fail(ready.error());
  if (auto idle = nothing_aside(w, "resume"); !idle) return fail(idle.error());
  auto status = named("upgrade");
  status.to = held->to.text();
  if (held->from) status.from = held->from->text();
  return submit(w, status, priority::upgrade, resume_held);
}

Result<control::accepted> request_abort(world& w) {
  if (const auto* aside = w.aside.running(); aside && !w.chief.busy_with(priority::upgrade))
    return end_aside(w, *aside);
  const auto running = *w.operation.get();
  if (!w.chief.busy_with(priority::upgrade) || !running || running->kind != "upgrade" ||
      !running->result.empty())
    return fail("no-upgrade", "cannot abort: no upgrade runs", "See: difyd status");
  const auto at = running->steps.empty() ? std::optional(upgrade::step::admit)
                                         : upgrade::parse_step(running->steps.back().step);
  const bool irreversible =
      w.book && w.book->current().in_flight &&
      std::ranges::any_of(w.book->current().in_flight->entries, &ledger::journal_entry::irreversible);
  // Before drain nothing was touched, whatever a held upgrade that this one replaces has done.
  if (!at || *at >= upgrade::step::migrate || (irreversible && *at > upgrade::step::prepare))
    return fail("too-late",
                "cannot abort: the upgrade is in step " + running->steps.back().step +
                    ", and from the migration on it goes forward or is put back by its own result",
                "Follow it: difyd upgrade --follow");
  const control::accepted accepted{running->id, w.events.last()};
  w.abort_asked.set(true);
  return accepted;
}

Result<control::accepted> request_up(world& w) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (auto marked = set_stopped_by_operator(w, false); !marked) return fail(marked.error());
  if (w.stands.get()->at == phase::stopped) stand(w, phase::starting, "asked for by the operator");
  return submit(w, named("up"), priority::command, up_by_operator);
}

Result<control::accepted> request_down(world& w) { return submit_command(w, "down", take_down); }

Result<control::accepted> request_repin(world& w, const std::string& text) {
  auto wanted = parse_version(text);
  if (!wanted) return fail(wanted.error());
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (auto open = not_in_maintenance(w, "repin"); !open) return fail(open.error());
  if (auto may = may_repin(w, *wanted); !may) return fail(may.error());
  if (auto idle = nothing_aside(w, "repin"); !idle) return fail(idle.error());
  auto status = named("repin");
  status.to = wanted->text();
  return submit(w, status, priority::command,
                [which = *wanted](world& of, std::string id) { return repin(of, std::move(id), which); });
}

Result<control::accepted> request_restart(world& w, std::vector<std::string> services) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  // In a hold nothing of the old version may be started; stopped means stopped.
  if (w.stands.get()->at != phase::serving && !fallen(w))
    return fail("not-serving",
                "cannot restart: the daemon is " + std::string(to_text(w.stands.get()->at)) + ": " +
                    w.stands.get()->message,
                "See: difyd status");
  return submit(w, named("restart"), priority::command,
                [services](world& of, std::string id) { return restart(of, std::move(id), services); });
}

Result<control::accepted> request_commands(world& w, const std::string& advisory, command_wish what) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (!w.book) return fail("not-ready", "cannot do that: the ledger is not open yet", "See: difyd status");
  if (auto owed = is_owed(w.book->current(), advisory); !owed) return fail(owed.error());
  auto status = named("advisory");
  return submit(w, status, priority::command,
                [advisory, what](world& of, std::string) { return settle_commands(of, advisory, what); });
}

Result<control::accepted> request_backup(world& w) {
  if (auto free = no_upgrade_begun(w); !free) return fail(free.error());
  if (w.book && w.book->current().restoring)
    return fail("restore-in-flight", "cannot take a backup: a restore is not finished",
                "Finish it first: difyd up");
  if (!w.book || !w.book->current().deployed)
    return fail("not-ready", "cannot take a backup: nothing is known to be deployed", "See: difyd status");
  if (auto may = may_run_aside(w, "take a backup"); !may) return fail(may.error());
  return submit_aside(w, named("backup"), back_up);
}

Result<control::accepted> request_rollback(world& w) {
  if (w.chief.busy_with(priority::upgrade)) {
    auto aborted = request_abort(w);
    if (aborted || aborted.error().code != "too-late" || !w.book || !past_return(w.book->current()))
      return aborted;
  }
  if (!w.book || !w.book->current().in_flight)
    return fail(
        "no-upgrade", "cannot roll back: no upgrade is in flight or held",
        "An older state comes back from a backup: difyd backup list, then difyd rollback --restore ID");
  if (past_return(w.book->current()))
    return fail(past_return_error(w.book->current(), *w.backups.get(), std::chrono::system_clock::now()));
  if (auto ready = may_change(w, "roll back"); !ready) return fail(ready.error());
  if (auto idle = nothing_aside(w, "roll back"); !idle) return fail(idle.error());
  auto status = named("rollback");
  status.id = w.book->current().in_flight->id;  // its steps are the upgrade's
  return submit(w, status, priority::upgrade, put_back_by_operator);
}

Result<control::accepted> request_restore(world& w, std::string backup) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (auto ready = may_change(w, "restore"); !ready) return fail(ready.error());
  if (auto idle = nothing_aside(w, "restore"); !idle) return fail(idle.error());
  if (auto known = find_backup(*w.backups.get(), backup); !known) return fail(known.error());
  return submit(w, named("restore"), priority::upgrade, [backup](world& of, std::string id) {
    return restore_by_operator(of, std::move(id), backup);
  });
}

Result<control::accepted> request_verify(world& w, std::string backup) {
  if (auto free = no_upgrade_running(w); !free) return fail(free.error());
  if (auto known = find_backup(*w.backups.get(), backup); !known) return fail(known.error());
  if (auto may = may_run_aside(w, "verify a backup"); !may) return fail(may.error());
  return submit_aside(w, named("verify"), [backup](world& of, std::string id) {
    return verify_by_operator(of, std::move(id), backup);
  });
}

}  // namespace difyd::supervisor
