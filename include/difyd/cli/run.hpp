// The commands of difyd.
#pragma once

namespace difyd::cli {

// Parses the arguments and carries the command out; returns the exit code.
int run(int argc, char** argv);

}  // namespace difyd::cli
