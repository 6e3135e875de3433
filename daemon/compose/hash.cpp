#include <array>
#include <charconv>
#include <difyd/compose/hash.hpp>

#include "describe_project.hpp"
#include "describe_service.hpp"
#include "emitter.hpp"

namespace difyd::compose {
namespace {

template <class T>
std::string compact(const T& o, const emit_options& options = {}) {
  std::string out;
  const auto to = json_sink(out, false);
  emitter(*to, options).write(o);
  return out;
}

// "v2.30.1-desktop.1" -> {2, 30, 1}
std::optional<std::array<int, 3>> version_numbers(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::array<int, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i < 2) {
      if (!text.starts_with('.')) return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return numbers;
}

}  // namespace

std::optional<hash_epoch> epoch_of_version(std::string_view version) {
  const auto numbers = version_numbers(version);
  if (!numbers) return std::nullopt;
  if (*numbers <= std::array{2, 29, 2}) return hash_epoch::v2_26;
  if (*numbers <= std::array{2, 30, 1}) return hash_epoch::v2_30;
  if ((*numbers)[0] < 3) return hash_epoch::v2_40;
  return hash_epoch::v5;
}

std::string hash_input(const service& s, hash_epoch epoch) {
  service hashed = s;
  hashed.build.reset();
  hashed.pull_policy.clear();
  hashed.scale.reset();
  if (hashed.deploy) hashed.deploy->replicas.reset();
  if (epoch >= hash_epoch::v2_30) hashed.depends_on.clear();
  if (epoch >= hash_epoch::v2_40) hashed.profiles.clear();
  return compact(hashed, {.omit_true_create_host_path = epoch >= hash_epoch::v5,
                          .octal_mode = epoch >= hash_epoch::v2_40});
}

std::string config_hash(const service& s, hash_epoch epoch) { return sha256_hex(hash_input(s, epoch)); }

std::string hash_input(const network& n) { return compact(n); }
std::string config_hash(const network& n) { return sha256_hex(hash_input(n)); }

std::string hash_input(const volume& v) {
  volume hashed = v;
  if (hashed.driver.empty()) hashed.driver = "local";
  return compact(hashed);
}

std::string config_hash(const volume& v) { return sha256_hex(hash_input(v)); }

}  // namespace difyd::compose
