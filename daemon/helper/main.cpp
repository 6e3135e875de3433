// difyd-helper [--lock FILE] VERB ARGUMENT…: does one thing that may hang, and ends.
#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <vector>

#include "difyd/host/verbs.hpp"
#include "release_verbs.hpp"
#include "request.hpp"

namespace {

int print(const std::string& text, int code) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? code : 1;
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> words(values + 1, values + count);
  ::umask(022);
  if (words.size() >= 2 && words[0] == "--lock") {
    if (auto held = difyd::host::hold_lock(words[1]); !held)
      return print(difyd::host::error_json(held.error()), 1);
    words.erase(words.begin(), words.begin() + 2);
  }
  const auto answer = difyd::helper::is_release_verb(words)   ? difyd::helper::run_release_verb(words)
                      : difyd::helper::is_request_verb(words) ? difyd::helper::run_request_verb()
                                                              : difyd::host::run_verb(words);
  return answer ? print(*answer, 0) : print(difyd::host::error_json(answer.error()), 1);
}
