#include "config_commands.hpp"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "difyd/config/load.hpp"
#include "difyd/config/print.hpp"
#include "difyd/config/table.hpp"

namespace difyd::cli {
namespace {

void print_json(const config::outcome& outcome) {
  nlohmann::json errors = nlohmann::json::array();
  for (const auto& error : outcome.errors)
    errors.push_back(nlohmann::json::parse(error_json(error)).at("error"));
  const nlohmann::json document{{"good", outcome.good()}, {"errors", errors}, {"warnings", outcome.warnings}};
  std::printf("%s\n", document.dump(2).c_str());
}

}  // namespace

int check_config(const options& given) {
  auto world = config::this_process();
  world.is_folder = [](const std::string& path) {
    std::error_code error;
    return std::filesystem::is_directory(path, error);
  };
  const auto outcome = config::load_all(given.config, world);
  if (given.json) {
    print_json(outcome);
    return outcome.good() ? succeeded : usage_error;
  }
  for (const auto& warning : outcome.warnings) std::fprintf(stderr, "difyd: warning: %s\n", warning.c_str());
  for (const auto& error : outcome.errors) report(error);
  if (!outcome.good()) return usage_error;
  std::printf("%s is good\n", given.config.c_str());
  return succeeded;
}

int print_config(const options& given) {
  auto settings = config::load(given.config, config::this_process());
  if (!settings) return report(settings.error(), usage_error);
  std::fputs((given.json ? config::to_json(*settings) : config::to_yaml(*settings)).c_str(), stdout);
  return succeeded;
}

int print_reference(const options& given) {
  std::fputs((given.json ? config::reference_json() : config::reference()).c_str(), stdout);
  return succeeded;
}

}  // namespace difyd::cli
