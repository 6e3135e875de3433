#include "pull_retry.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace difyd::stack {
namespace {

constexpr int attempts = 5;

// As dockerd (distribution/) and Go's net package word it.
constexpr std::array<std::string_view, 15> passing{
    "i/o timeout",
    "Client.Timeout",
    "context deadline exceeded",
    "TLS handshake timeout",
    "connection reset",
    "connection refused",
    "broken pipe",
    "unexpected EOF",
    ": EOF",
    "network is unreachable",
    "no route to host",
    "server misbehaving",
    "Temporary failure in name resolution",
    "received unexpected HTTP status: 5",
    "error pulling image configuration: download failed after attempts",
};

}  // namespace

std::optional<duration> pull_again_after(const Error& error, int attempt) {
  if (error.code != "image-pull-failed" || attempt >= attempts) return std::nullopt;
  const bool passes = std::any_of(passing.begin(), passing.end(), [&](std::string_view part) {
    return error.message.find(part) != std::string::npos;
  });
  if (!passes) return std::nullopt;
  return std::chrono::seconds(1 << (attempt - 1));
}

}  // namespace difyd::stack
