// difyd-supervisor: started by `difyd serve` and `difyd check`, which hand over by exec.
#include <malloc.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "difyd/supervisor/serve.hpp"

int main(int argc, char** argv) {
  // Folders of bind sources are read by users of the containers; what is secret has its own mode.
  ::umask(022);
  // The lanes' threads allocate little: arenas of their own would only cost memory.
  ::mallopt(M_ARENA_MAX, 1);
  difyd::supervisor::serve_options options;
  bool check = false;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--config" && i + 1 < argc)
      options.config = argv[++i];
    else if (argument == "--with-health")
      options.with_health = true;
    else if (argument == "--check")
      check = true;
    else if (argument == "--json")
      json = true;
    else {
      std::fprintf(stderr, "difyd-supervisor: unknown argument %s; use: difyd serve --help\n", argv[i]);
      return 2;
    }
  }
  return check ? difyd::supervisor::check(options.config, json) : difyd::supervisor::serve(options);
}
