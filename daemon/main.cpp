#include "difyd/cli/run.hpp"

int main(int argc, char** argv) { return difyd::cli::run(argc, argv); }
