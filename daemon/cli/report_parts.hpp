// What a report is made of: each source gives files, or a file that says why there is none.
#pragma once

#include <string>
#include <vector>

#include "context.hpp"
#include "difyd/config/load.hpp"
#include "redact.hpp"

namespace difyd::cli {

struct report_part {
  std::string name;  // "containers/dify-api-1.log"
  std::string text;
};
using report_parts = std::vector<report_part>;

// Each is bounded in time and size, and fails in words only.
task<report_parts> daemon_parts(options given);  // what the daemon answers
task<report_parts> machine_parts();              // journal, disks, mounts, memory
task<report_parts> engine_parts(config::settings settings, redactor* secrets);  // containers and their output
report_parts configuration_parts(const options& given, const config::outcome& loaded);

// Secrets that the configuration names.
void add_secrets(redactor& to, const config::settings& settings);

// The end of what is too long, with a word about that.
std::string bounded(std::string text);

}  // namespace difyd::cli
