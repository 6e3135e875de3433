#ifndef DIFYD_CATCH2_V3
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

#include "source_dir.hpp"

std::string source_dir() { return DIFYD_SOURCE_DIR; }
