// What every command knows: the global options, where it prints, and its exit code.
#pragma once

#include <string>

#include "difyd/base/error.hpp"
#include "difyd/base/task.hpp"

namespace difyd::cli {

// Documented in `difyd --help` and README.md.
enum exit_code {
  succeeded = 0,
  failed = 1,
  usage_error = 2,
  no_daemon = 3,  // the daemon does not answer
  refused = 4,    // nothing was changed
  undone = 5,     // an upgrade went back: the old version serves
  held = 6        // an operator must decide
};

struct options {
  std::string config = "/etc/difyd/difyd.yaml";
  std::string socket;  // empty: from the configuration, else the default
  bool json = false;
};

// The control socket: --socket, $DIFYD_SOCKET, the configuration's, the default.
std::string socket_path(const options& given);

// Prints "difyd: message" and the remedy to standard error.
int report(const Error& error, int code = failed);
int exit_code_of(const Error& error);

// Drives one coroutine to its end.
int run_to_end(task<int> work);

// "difyd-supervisor": beside this program, else where it is installed.
std::string program_path(const std::string& name);

}  // namespace difyd::cli
