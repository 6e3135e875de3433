// The operations that the director runs: what a start, a command and an upgrade do.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ended.hpp"
#include "mounting.hpp"
#include "owed_commands.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Proposes to bring the stack to what it should be, by way of the whole start
// (DESIGN section 5, Start). Ends in serving, holding or, with a cause, in starting.
void propose_start(world& w);

// Proposes to start or make again what should run and does not, and to restart what is `ill`.
void propose_heal(world& w, const std::string& cause, std::vector<std::string> ill = {});

// Proposes to mount the storage again, or to restart what holds a dead mount of it.
void propose_mending(world& w, mount_need need);

// Another machine has the lease: the own stack stops, and the start waits for it. Not heard
// while an upgrade runs, which asks for the lease itself before what cannot be undone.
void propose_stand_down(world& w);

// The work's text is the result's; an error of code "refused", "undone" or "held" is told as such.
using work = std::function<task<ended>(world&, std::string id)>;
// Tells those who follow an operation how it ended.
void tell_ending(world& w, const control::operation_status& status, const ended& how);
// A command that no upgrade may run beside. Error "upgrade-in-flight".
Result<control::accepted> submit_command(world& w, const char* kind, work what);

// Commands. Refused at once ("upgrade-in-flight", "bad-version", ...) or accepted: the result
// comes as an event.
Result<control::accepted> request_upgrade(world& w, const control::upgrade_wish& wish);
Result<control::accepted> request_up(world& w);
// Runs the commands of an advisory again, or takes them off the list. Error "not-owed".
Result<control::accepted> request_commands(world& w, const std::string& advisory, command_wish what);
Result<control::accepted> request_down(world& w);
// Beside what the director runs. Errors of may_rehearse, may_run_aside and nothing_aside.
Result<control::accepted> request_rehearsal(world& w, const std::string& version, const std::string& backup);
// Tries a held upgrade again. Error "nothing-held".
Result<control::accepted> request_resume(world& w);
// Asks the upgrade that runs to go back; its own result follows. Errors "no-upgrade", "too-late".
Result<control::accepted> request_abort(world& w);
// Both beside what the director runs. Errors of may_run_aside.
Result<control::accepted> request_backup(world& w);
// The newest where `backup` is empty.
Result<control::accepted> request_verify(world& w, std::string backup);
// Puts the old version back: as an abort where an upgrade runs, from a hold where nothing irreversible
// happened. Errors "no-upgrade", "too-late" with the backup that leads back.
Result<control::accepted> request_rollback(world& w);
Result<control::accepted> request_restore(world& w, std::string backup);
// The ledger is made to say what the database proves. Errors: may_repin's, "bad-version".
Result<control::accepted> request_repin(world& w, const std::string& version);
Result<control::accepted> request_restart(world& w, std::vector<std::string> services);

}  // namespace difyd::supervisor
