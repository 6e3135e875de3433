// Options and help of the two commands that make a configuration: init and adopt.
#pragma once

#include "adopt_command.hpp"
#include "init_command.hpp"

namespace CLI {
class App;
}

namespace difyd::cli {

void add_options(CLI::App& command, init_wish& wish);
void add_options(CLI::App& command, adopt_wish& wish);

}  // namespace difyd::cli
