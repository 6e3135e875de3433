// The daemon's answers as text for people. Pure.
#pragma once

#include <string>
#include <vector>

#include "difyd/control/plan.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::cli {

std::string render(const control::status& status);
std::string render(const control::plan& plan);
std::string render(const std::vector<control::migration>& migrations);
std::string render(const std::vector<control::backup>& backups);
std::string render(const std::vector<control::owed_command>& commands);
std::string render(const control::restore_plan& plan);
std::string render(const std::vector<control::past_upgrade>& history);
// "maintenance is off", "maintenance is on since ...: the reason"; {"on", "since", "reason"}
std::string maintenance_text(const control::status& status);
std::string maintenance_json(const control::status& status);
std::string render_services(const std::vector<control::service_status>& services);

// Words in lines of at most 100 characters.
std::string wrapped(const std::string& text, const std::string& indent);

// Columns padded to their widest cell, two blanks between.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::string& indent = {});

}  // namespace difyd::cli
