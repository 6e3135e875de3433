// What a fuzz target demands of what it calls; unlike assert(), also in a release build.
#pragma once

#include <cstdio>
#include <cstdlib>

#define DEMAND(condition)                                                          \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)
