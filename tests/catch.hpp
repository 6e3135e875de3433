// Catch2 of Debian 12 (version 2) and of Debian 13 (version 3) behind one include.
#pragma once
#ifdef DIFYD_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
