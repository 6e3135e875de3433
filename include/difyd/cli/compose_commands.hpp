// `difyd compose`: the compose engine on any compose file, without the daemon.
#pragma once

namespace difyd::cli {

// argv[0] is "compose". Flags and exit codes are docker compose 2.x's: 0 done, 1 failed, 14 no
// compose file, 15 the file is invalid, 16 wrong usage, 130 interrupted.
int run_compose(int argc, char** argv);

}  // namespace difyd::cli
