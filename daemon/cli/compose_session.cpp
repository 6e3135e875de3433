#include "compose_session.hpp"

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

#include "context.hpp"
#include "difyd/control/claim.hpp"
#include "difyd/control/wire.hpp"

namespace difyd::cli {

int report_compose(const Error& given) {
  const auto error = engine::naming_address(given, "DOCKER_HOST");
  if (answers_in_json()) return report(error, compose_failed);
  std::fprintf(stderr, "difyd compose: %s\n", error.message.c_str());
  if (!error.remedy.empty()) std::fprintf(stderr, "  %s\n", error.remedy.c_str());
  return compose_failed;
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
}

Result<std::shared_ptr<compose::project>> load_project(const compose_options& options, bool select) {
  auto from = compose::source_of_this_process();
  from.files = options.files;
  from.env_files = options.env_files;
  from.project_directory = options.project_directory;
  from.project_name = options.project_name;
  from.profiles = options.profiles;
  if (select) from.services = options.services;
  const compose::disk_reader files;
  auto loaded = compose::load(from, files);
  if (!loaded) return std::unexpected(loaded.error());
  if (!options.quiet) print_warnings(loaded->warnings);
  return std::make_shared<compose::project>(std::move(loaded->project));
}

Result<chosen_project> project_or_name(const compose_options& options) {
  if (options.files.empty() && !options.project_name.empty())
    return chosen_project{nullptr, options.project_name};
  auto project = load_project(options, false);
  if (!project) {
    const char* name = std::getenv("COMPOSE_PROJECT_NAME");
    if (name != nullptr && *name != '\0') return chosen_project{nullptr, name};
    return std::unexpected(project.error());
  }
  const auto name = (*project)->name;
  return chosen_project{std::move(*project), name};
}

int with_engine(std::function<task<int>(engine::client&)> work) {
  auto where = engine::endpoint_from_environment();
  if (!where) return report_compose(where.error());
  asio::io_context loop(1);
  engine::client client(loop.get_executor(), *where);
  int code = compose_failed;
  asio::co_spawn(loop, work(client), [&](std::exception_ptr failure, int result) {
    if (!failure) {
      code = result;
      return;
    }
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      report_compose({"internal", e.what(), {}});
    }
  });
  loop.run();
  return code;
}

task<Result<>> refuse_if_supervised(engine::client& engine, std::string project) {
  const auto holder = co_await control::holder_of(project, engine.where());
  if (!holder) co_return Result<>{};
  const auto by = holder->pid > 0 ? " (process " + std::to_string(holder->pid) + ")" : std::string();
  const bool elsewhere = !holder->socket.empty() && holder->socket != control::default_socket;
  co_return fail(
      "supervised",
      "cannot change project " + project + ": a running difyd" + by + " supervises it; nothing was changed",
      "Use difyd up, difyd down, difyd restart or difyd upgrade" +
          (elsewhere ? " with DIFYD_SOCKET=" + holder->socket : std::string()) +
          ", or stop the daemon first (systemctl stop difyd)");
}

}  // namespace difyd::cli
