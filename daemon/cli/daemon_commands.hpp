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
int resume_upgrade(const options& given, bool wait);
int attach_to_upgrade(const options& given);
int stack_up(const options& given, bool wait);
int abort_upgrade(const options& given);
int repin(const options& given, const std::string& version, bool wait);
int stack_down(const options& given, bool wait);
int stack_restart(const options& given, const std::vector<std::string>& services, bool wait);

// Through the daemon; without one, the probes are run here.
int check(const options& given);

}  // namespace difyd::cli
