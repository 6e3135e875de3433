#include "config_commands.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "difyd/config/load.hpp"
#include "difyd/config/print.hpp"
#include "difyd/config/table.hpp"

namespace difyd::cli {
namespace {

void print_json(const config::outcome& outcome) {
  nlohmann::json errors = nlohmann::json::array();
  for (const auto& error : outcome.errors)
    errors.push_back({{"code", error.code}, {"message", error.message}, {"remedy", error.remedy}});
  const nlohmann::json document{{"good", outcome.good()}, {"errors", errors}, {"warnings", outcome.warnings}};
  std::printf("%s\n", document.dump(2).c_str());
}

}  // namespace

int check_config(const options& given) {
  const auto outcome = config::load_all(given.config, config::this_process());
  if (given.json) {
    print_json(outcome);
    return outcome.good() ? succeeded : failed;
  }
  for (const auto& warning : outcome.warnings) std::fprintf(stderr, "difyd: warning: %s\n", warning.c_str());
  for (const auto& error : outcome.errors) report(error);
  if (!outcome.good()) return failed;
  std::printf("%s is good\n", given.config.c_str());
  return succeeded;
}

int print_config(const options& given) {
  auto settings = config::load(given.config, config::this_process());
  if (!settings) return report(settings.error());
  std::fputs((given.json ? config::to_json(*settings) : config::to_yaml(*settings)).c_str(), stdout);
  return succeeded;
}

int print_reference() {
  std::fputs(config::reference().c_str(), stdout);
  return succeeded;
}

}  // namespace difyd::cli
