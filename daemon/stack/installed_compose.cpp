#include "installed_compose.hpp"

#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"

namespace difyd::stack {
namespace {

std::vector<std::string> plugin_folders() {
  std::vector<std::string> folders;
  const char* config = std::getenv("DOCKER_CONFIG");
  const char* home = std::getenv("HOME");
  if (config != nullptr && *config != '\0')
    folders.push_back(std::string(config) + "/cli-plugins");
  else if (home != nullptr && *home != '\0')
    folders.push_back(std::string(home) + "/.docker/cli-plugins");
  for (const char* each : {"/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
                           "/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"})
    folders.emplace_back(each);
  return folders;
}

}  // namespace

std::string version_in(const std::string& output) {
  std::string text(trim(output));
  if (text.starts_with('v')) text.erase(0, 1);
  // "2.26.1-4" of Debian writes 2.26.1 in its labels.
  const auto end = text.find_first_not_of("0123456789.");
  if (end != std::string::npos) text.erase(end);
  return split(text, '.').size() == 3 ? text : std::string();
}

task<std::string> installed_compose_version() {
  for (const auto& folder : plugin_folders()) {
    const auto program = folder + "/docker-compose";
    if (::access(program.c_str(), X_OK) != 0) continue;
    process_spec spec;
    spec.argv = {program, "version", "--short"};
    spec.environment = {"PATH=/usr/bin:/bin"};
    spec.limit = std::chrono::seconds(2);
    auto done = co_await run_process(std::move(spec));
    co_return done && done->exit_code == 0 ? version_in(done->output) : std::string();
  }
  co_return std::string();
}

}  // namespace difyd::stack
