// What every command knows: the global options, how it reports, and its exit code.
#pragma once

#include <string>

#include "difyd/base/error.hpp"
#include "difyd/base/task.hpp"
#include "difyd/control/client.hpp"

namespace difyd::cli {

// Documented in `difyd --help` and README.md.
enum exit_code {
  succeeded = 0,
  failed = 1,
  usage_error = 2,  // the command line, a name or version in it, or the configuration is wrong
  no_daemon = 3,    // the daemon does not answer
  refused = 4,      // not possible as things are; nothing was changed
  undone = 5,       // an upgrade went back: the old version serves
  held = 6,         // an operator must decide
  interrupted = 130
};

struct options {
  std::string config = "/etc/difyd/difyd.yaml";
  std::string socket;  // empty: from the configuration, else the default
  bool json = false;
};

// The daemon behind --socket, $DIFYD_SOCKET, the configuration's socket or the default one. Where nobody
// answers and this user may not read the configuration, the error says so.
control::client daemon_of(const options& given);

// Whether errors are told as JSON on standard output; of the whole process.
void answer_in_json(bool wanted);
bool answers_in_json();

// {"error":{"code","message","remedy"}}, with "file", "line" and "column" where the message names them.
std::string error_json(const Error& error);

// Prints "difyd: message" and the remedy to standard error, or error_json to standard output.
int report(const Error& error, int code = failed);

// The same kind of mistake has the same code, whichever command it is made in.
int exit_code_of(const Error& error);

// Drives one coroutine to its end.
int run_to_end(task<int> work);

// "difyd-supervisor": beside this program, else where it is installed.
std::string program_path(const std::string& name);

}  // namespace difyd::cli
