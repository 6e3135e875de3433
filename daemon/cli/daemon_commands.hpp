// Commands that ask the daemon.
#pragma once

#include <string>
#include <vector>

#include "context.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::cli {

int show_status(const options& given);
int show_plan(const options& given, const std::string& version);
int show_migrations(const options& given);
int show_migration_log(const options& given, const std::string& id, bool follow);
int show_history(const options& given);
int show_services(const options& given);

int start_upgrade(const options& given, const control::upgrade_wish& wish, bool wait);
// The newest backup where `backup` is empty.
int rehearse(const options& given, const std::string& version, const std::string& backup, bool wait);
int resume_upgrade(const options& given, bool wait);
int attach_to_upgrade(const options& given);
// The commands that advisories name, until they have succeeded; verb: run, drop.
int show_commands(const options& given);
int change_commands(const options& given, const std::string& verb, const std::string& advisory);
int show_backups(const options& given);
int take_backup(const options& given, bool wait);
// The newest where `id` is empty.
int verify_backup(const options& given, const std::string& id);
int rollback(const options& given, bool wait);
// Says what is lost and asks, unless `yes`.
int restore(const options& given, const std::string& backup, bool yes, bool wait);
int change_maintenance(const options& given, const control::maintenance_wish& wish, bool wait);
int show_maintenance(const options& given);
int stack_up(const options& given, bool wait);
int abort_upgrade(const options& given);
int repin(const options& given, const std::string& version, bool wait);
int stack_down(const options& given, bool wait);
int stack_restart(const options& given, const std::vector<std::string>& services, bool wait);

// Through the daemon; without one, the probes are run here.
int check(const options& given);
// Every code that a finding can have, as the manual has them.
int show_codes();

}  // namespace difyd::cli
