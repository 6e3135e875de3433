#include "difyd/release/new_configuration.hpp"

#include <algorithm>

#include "difyd/config/print.hpp"

namespace difyd::release {
namespace {

constexpr std::string_view nowhere = "the new configuration";

}  // namespace

std::string new_configuration::keep(const std::string& name, const std::string& value) {
  files.push_back({folder + "/" + name, config::secret(value)});
  return files.back().path;
}

Result<config::settings> read_back(const new_configuration& made, const config::surroundings& world) {
  config::surroundings with_ours = world;
  with_ours.read_file = [&](const std::string& path) -> Result<std::string> {
    const auto ours = std::ranges::find(made.files, path, &secret_file::path);
    if (ours != made.files.end()) return ours->value.reveal();
    if (world.read_file) return world.read_file(path);
    return fail("file-io", "cannot read " + path);
  };
  with_ours.readable_by_all = nullptr;
  auto read = config::parse(config::to_file(made.settings), std::string(nowhere), with_ours);
  if (!read.good()) {
    Error first = std::move(read.errors.front());
    // Nobody has seen that file: its lines tell nothing.
    const std::size_t place = first.message.find(nowhere) + nowhere.size();
    first.message.erase(place, first.message.find(": ", place) - place);
    return fail(std::move(first));
  }
  return std::move(read.values);
}

}  // namespace difyd::release
