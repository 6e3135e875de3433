// `difyd report`: one archive for an issue thread, without secrets.
#pragma once

#include <string>

#include "context.hpp"

namespace difyd::cli {

// `output`: a file that is not there yet; empty: difyd-report-<time>.tar.gz in the current folder. With or
// without the daemon.
int write_report(const options& given, const std::string& output);

}  // namespace difyd::cli
