// Child processes: spawned without any of our descriptors, bounded, always reaped.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd {

struct process_spec {
  std::vector<std::string> argv;                    // argv[0] is the program's path; no shell
  std::vector<std::string> environment;             // "K=V"; the whole environment, nothing is inherited
  std::string input;                                // written to its standard input, then closed
  duration limit{std::chrono::seconds(30)};         // then its process group is killed
  std::size_t max_output = 1 << 20;                 // bytes kept per stream; the rest is read and dropped
  std::function<void(std::string_view)> on_output;  // sees standard output as it comes
};

struct process_result {
  int exit_code = 0;  // 128 + signal where a signal ended it
  std::string output;
  std::string errors;
};

// Runs a program to its end. It gets its own process group and no inherited descriptor but
// 0, 1, 2 (a hung child must not hold our ports). At the deadline the group is killed, and
// the child is abandoned to a reaper if even that does not end it (a process in state D).
// Errors: "process-not-started", "deadline-exceeded".
task<Result<process_result>> run_process(process_spec spec);

}  // namespace difyd
