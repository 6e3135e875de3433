#include "adopt_engine.hpp"

#include <filesystem>

#include "context.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/stack/labels.hpp"

namespace difyd::cli {
namespace {

using names = std::set<std::string>;

// The label has the path as it was typed, links and all.
bool same_folder(const std::string& path, const std::string& folder) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return path == folder || real == folder;
}

std::string label_of(const engine::container_summary& container, const char* label) {
  const auto found = container.labels.find(label);
  return found == container.labels.end() ? "" : found->second;
}

task<int> ask(std::string engine, std::string folder, std::optional<names>& answer) {
  const auto where = http::parse_endpoint(engine);
  if (!where) co_return failed;
  engine::client client(co_await asio::this_coro::executor, *where);
  engine::container_filter composed;
  composed.labels = {stack::label::working_dir};
  const auto all = co_await client.containers.list(std::move(composed), std::chrono::seconds(10));
  if (!all) co_return failed;
  names every, running;
  for (const auto& each : *all) {
    const std::string project = label_of(each, stack::label::project);
    if (project.empty() || !same_folder(label_of(each, stack::label::working_dir), folder)) continue;
    every.insert(project);
    if (each.state == "running") running.insert(project);
  }
  answer = running.empty() ? every : running;
  co_return succeeded;
}

}  // namespace

std::optional<std::set<std::string>> projects_run_from(const std::string& engine, const std::string& folder) {
  std::optional<names> answer;
  run_to_end(ask(engine, folder, answer));
  return answer;
}

}  // namespace difyd::cli
