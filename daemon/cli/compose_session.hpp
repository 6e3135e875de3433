// What the commands of `difyd compose` share: options, the project, the engine; private to cli.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "difyd/compose/load.hpp"
#include "difyd/engine/client.hpp"
#include "difyd/stack/plan.hpp"

namespace difyd::cli {

// As docker compose 2.40: 1 for whatever goes wrong, a compose file or a flag too. (2.26 had 14, 15 and 16
// for these.)
enum compose_exit { compose_done = 0, compose_failed = 1 };

struct compose_options {
  std::vector<std::string> files, env_files, profiles, services;
  std::string project_directory, project_name, version;
  std::string ansi = "auto", progress = "auto", format, hash, pull, tail, since, until, quiet_kind;
  std::vector<std::string> scale;
  std::optional<int> timeout;
  int wait_timeout = 0;  // seconds, 0 = none
  bool detach = false, wait = false, remove_orphans = false, force_recreate = false, no_recreate = false,
       no_deps = false, no_start = false, renew_volumes = false, volumes = false, all = false, quiet = false,
       follow = false, timestamps = false, no_prefix = false, list_services = false, list_images = false,
       list_volumes = false, list_profiles = false;
};

// The project from the compose files, or only its name where no file was asked for.
struct chosen_project {
  std::shared_ptr<compose::project> project;  // null: work from labels
  std::string name;
};

// Prints the error and gives compose_failed.
int report_compose(const Error& error);
void print_warnings(const std::vector<std::string>& warnings);

// Loads the files. `select`: keep only the named services and what they depend on.
Result<std::shared_ptr<compose::project>> load_project(const compose_options& options, bool select);
// -p without -f reads no file.
Result<chosen_project> project_or_name(const compose_options& options);

// Runs a coroutine on an engine client of its own, found by DOCKER_HOST.
int with_engine(std::function<task<int>(engine::client&)> work);

// Error "supervised" where a running difyd has claimed the project on this engine.
task<Result<>> refuse_if_supervised(engine::client& engine, std::string project);

int compose_config(const compose_options& options);
int compose_up(const compose_options& options);
int compose_down(const compose_options& options);
int compose_ps(const compose_options& options);
int compose_logs(const compose_options& options);
int compose_pull(const compose_options& options);
int compose_stop(const compose_options& options);
int compose_start(const compose_options& options);
int compose_restart(const compose_options& options);

// Prints what the containers write; with `follow` until none of them runs any more. Containers that
// start later, or again, are joined. With `interruptible` SIGINT and SIGTERM end it with 130.
task<int> print_logs(engine::client& engine, std::string project, compose_options options,
                     bool interruptible);

}  // namespace difyd::cli
