#include "stack_logs.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"
#include "difyd/control/client.hpp"
#include "difyd/stack/observe.hpp"

namespace difyd::cli {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

task<int> print_stack_logs(options given, compose_options how) {
  // The daemon's engine and project, also where the configuration has a mistake elsewhere.
  const auto settings = config::load_all(given.config, config::this_process()).values;
  const std::string project = settings.project.empty() ? "dify" : settings.project;
  const auto where = settings.engine_host.empty() ? engine::endpoint_from_environment()
                                                  : http::parse_endpoint(settings.engine_host);
  if (!where) co_return report(where.error(), usage_error);
  engine::client engine(co_await asio::this_coro::executor, *where);
  const auto now = co_await stack::observe(engine, project);
  if (!now) {
    const std::string setting =
        settings.engine_host.empty() ? "DOCKER_HOST" : "engine.host of " + given.config;
    co_return report(engine::naming_address(now.error(), setting));
  }

  std::vector<std::string> present;
  for (const auto& container : now->containers)
    if (!container.one_off && !holds(present, container.service)) present.push_back(container.service);
  auto known = present;
  control::client daemon = daemon_of(given);
  if (const auto answer = co_await daemon.get("/v1/status", std::chrono::seconds(5)))
    if (const auto status = control::parse_status(*answer))
      for (const auto& each : status->services)
        if (!holds(known, each.service)) known.push_back(each.service);
  if (const auto error = nothing_to_show(how.services, known, present, project))
    co_return report(*error, exit_code_of(*error));
  co_return co_await print_logs(engine, project, std::move(how), false);
}

}  // namespace

std::optional<Error> nothing_to_show(const std::vector<std::string>& asked,
                                     const std::vector<std::string>& known,
                                     const std::vector<std::string>& present, const std::string& project) {
  if (!known.empty())
    for (const auto& name : asked)
      if (!holds(known, name)) return control::unknown_service("show the logs of", name, known);
  const bool some = asked.empty()
                        ? !present.empty()
                        : std::ranges::any_of(asked, [&](const auto& name) { return holds(present, name); });
  if (some) return std::nullopt;
  if (present.empty())
    return Error{"stack-down",
                 "cannot show logs: the stack is down, project " + project + " has no containers",
                 "Start it: difyd up. What the daemon did: journalctl -u difyd"};
  return Error{"no-container", "cannot show logs: " + join(asked, ", ") + " has no container",
               "See: difyd ps"};
}

std::string line_count(const std::string& text) {
  const bool number = !text.empty() && text.size() < 10 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return number || text == "all" ? "" : "wants a number of lines or all, not " + text;
}

int show_logs(const options& given, compose_options how) {
  if (given.json) how.format = "json";
  return run_to_end(print_stack_logs(given, std::move(how)));
}

}  // namespace difyd::cli
