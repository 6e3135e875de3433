#include "difyd/stack/dialect.hpp"

#include <charconv>
#include <optional>
#include <tuple>

namespace difyd::stack {
namespace {

struct number_triple {
  int major = 0, minor = 0, patch = 0;
  bool at_least(int x, int y, int z) const { return std::tie(major, minor, patch) >= std::tuple(x, y, z); }
};

std::optional<number_triple> parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  number_triple triple;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int* part : {&triple.major, &triple.minor, &triple.patch}) {
    if (part != &triple.major) {
      if (at == end || *at != '.') return std::nullopt;
      ++at;
    }
    const auto [rest, error] = std::from_chars(at, end, *part);
    if (error != std::errc()) return std::nullopt;
    at = rest;
  }
  return triple;
}

}  // namespace

dialect dialect_of(std::string_view version) {
  dialect d;
  const auto v = parse(version);
  const auto epoch = compose::epoch_of_version(version);
  if (!v || !epoch || v->major != 2) return d;
  d.version = version;
  d.epoch = *epoch;
  d.named_volumes_as_binds = v->at_least(2, 35, 1);
  d.network_hash = v->at_least(2, 31, 0);
  d.volume_hash = v->at_least(2, 32, 0);
  d.number_on_one_offs = !v->at_least(2, 30, 0);
  d.replace_is_name = v->at_least(2, 39, 0);
  d.endpoint_options = v->at_least(2, 27, 1);
  d.device_options = v->at_least(2, 30, 0);
  d.device_names = v->at_least(2, 30, 0);
  d.gateway_priority = v->at_least(2, 33, 1);
  d.normal_capabilities = v->at_least(2, 33, 1);
  return d;
}

}  // namespace difyd::stack
