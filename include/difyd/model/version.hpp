// Dify's version numbers: MAJOR.MINOR.PATCH with an optional pre-release ("1.16.0-rc1").
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "difyd/base/error.hpp"

namespace difyd {

struct version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  std::string pre_release;  // empty for a release; sorts before it

  std::string text() const;
  friend bool operator==(const version&, const version&) = default;
  friend std::strong_ordering operator<=>(const version& a, const version& b);
};

// Error "bad-version".
Result<version> parse_version(std::string_view text);

}  // namespace difyd
