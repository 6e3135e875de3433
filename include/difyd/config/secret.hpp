// A text that is never printed by accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace difyd::config {

// No conversion to text and no stream operator on purpose: whoever needs the value says so.
class secret {
 public:
  secret() = default;
  explicit secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const secret&, const secret&) = default;

 private:
  std::string value_;
};

// Whether an environment variable of this name holds a secret: by words in it (PASSWORD,
// SECRET, TOKEN, KEY, ...) and by the few of Dify's that embed one (broker URLs, DSNs).
bool names_secret(std::string_view variable);

}  // namespace difyd::config
