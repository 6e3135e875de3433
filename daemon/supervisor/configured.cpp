#include "configured.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::size_t largest = 4u << 20;

std::string copy_in(const std::string& state_dir) { return state_dir + "/last-good.yaml"; }

// What a load reads, and what of it differed later, are compared by hash: nothing of a secret is kept.
config::surroundings recording(config::surroundings world, configuration_files& read) {
  world.read_file = [inner = world.read_file, &read](const std::string& path) {
    auto text = inner(path);
    read[path] = text ? std::optional(std::hash<std::string>{}(*text)) : std::nullopt;
    return text;
  };
  return world;
}

// The last good configuration is there to hold on: a secret whose file is gone by now is needed for nothing.
config::surroundings without_secrets(config::surroundings world, const std::string& copy) {
  world.read_file = [inner = world.read_file, copy](const std::string& path) {
    auto text = inner(path);
    return text || path == copy ? text : Result<std::string>("-");
  };
  return world;
}

void keep(const std::string& path, const config::settings& settings) {
  std::error_code ignored;
  std::filesystem::create_directories(settings.state_dir, ignored);
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
  configuration_files read;
  auto settings = config::load(path, recording(world, read));
  if (settings) {
    keep(path, *settings);
    return configured{std::move(*settings), {}, std::move(read)};
  }
  for (const auto& place : places(path)) {
    const std::string copy = copy_in(place);
    auto last = config::load(copy, without_secrets(world, copy));
    if (last) return configured{std::move(*last), settings.error(), std::move(read)};
  }
  return std::unexpected(settings.error());
}

std::vector<std::string> changed_since(const configuration_files& read) {
  std::vector<std::string> changed;
  for (const auto& [path, was] : read) {
    const auto now = read_file(path, largest);
    if (was != (now ? std::optional(std::hash<std::string>{}(*now)) : std::nullopt)) changed.push_back(path);
  }
  return changed;
}

}  // namespace difyd::supervisor
