// The daemon: `difyd serve` execs difyd-supervisor, which is this.
#pragma once

#include <string>

namespace difyd::supervisor {

struct serve_options {
  std::string config = "/etc/difyd/difyd.yaml";
  bool with_health = false;  // also start difyd-health as a child (where no systemd unit does)
};

// Runs until SIGTERM or SIGINT; returns the exit code.
int serve(const serve_options& options);

// Every probe once, without the daemon: prints findings, returns 0, 1 (warnings) or 2 (errors).
int check(const std::string& config, bool json);

}  // namespace difyd::supervisor
