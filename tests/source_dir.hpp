// Where the sources are. In one file, not on every compiler's command line: another clone then finds all
// other objects of the tests in ccache.
#pragma once
#include <string>

std::string source_dir();
