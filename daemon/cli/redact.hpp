// Takes secrets out of text that strangers will read. Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace difyd::cli {

inline constexpr std::string_view redacted = "(redacted)";

class redactor {
 public:
  // Taken out wherever it occurs, also percent-encoded, escaped as in JSON, and in base64. One of fewer
  // than four characters is in too much that is none, and is left to what looks like a secret.
  void add(const std::string& secret);

  // Without the known secrets, and without what looks like one: user and password in a URL, the value of a
  // variable or key that is named like a secret, what follows Bearer and Basic, private keys, and words
  // with the beginnings of well-known tokens.
  std::string clean(std::string_view text) const;

 private:
  std::set<std::string> known_;
};

}  // namespace difyd::cli
