#include "configured.hpp"

#include <cstdlib>
#include <vector>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::size_t largest = 4u << 20;

std::string copy_in(const std::string& state_dir) { return state_dir + "/last-good.yaml"; }

void keep(const std::string& path, const config::settings& settings) {
  const auto text = read_file(path, largest);
  const std::string copy = copy_in(settings.state_dir);
  if (!text || read_file(copy, largest).value_or("") == *text) return;
  if (auto kept = write_durably(copy, *text, 0600); !kept)
    log::warning("serve", "no copy of the configuration is kept", {{"cause", kept.error().message}});
}

std::vector<std::string> places(const std::string& path) {
  std::vector<std::string> all{state_dir_in(read_file(path, largest).value_or(""))};
  if (const char* named = std::getenv("STATE_DIRECTORY")) all.emplace_back(named);
  all.emplace_back("/var/lib/difyd");
  std::erase(all, "");
  return all;
}

}  // namespace

std::string state_dir_in(const std::string& text) {
  constexpr std::string_view key = "state_dir:";
  for (const auto& line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    auto value = trim(std::string_view(line).substr(key.size()));
    if (const auto comment = value.find(" #"); comment != value.npos) value = trim(value.substr(0, comment));
    if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    return value.starts_with('/') ? std::string(value) : std::string();
  }
  return {};
}

Result<configured> read_configuration(const std::string& path) {
  const auto world = config::this_process();
  auto settings = config::load(path, world);
  if (settings) {
    keep(path, *settings);
    return configured{std::move(*settings), {}};
  }
  for (const auto& place : places(path)) {
    auto last = config::load(copy_in(place), world);
    if (last) return configured{std::move(*last), settings.error()};
  }
  return std::unexpected(settings.error());
}

}  // namespace difyd::supervisor
