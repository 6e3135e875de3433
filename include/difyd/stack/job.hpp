// One-off containers of a service: a migration, a flask command.
#pragma once

#include <difyd/engine/client.hpp>
#include <difyd/stack/create.hpp>
#include <functional>
#include <memory>

namespace difyd::stack {

struct job_spec {
  std::string service;
  std::string name;  // empty: <project>-<service>-run-<slug>
  std::optional<compose::text_list> entrypoint;
  std::optional<compose::text_list> command;
  compose::environment_map environment;  // over the service's
  compose::text_map base_environment;    // beneath the service's, as in create_context
  compose::text_map labels;
  std::string network;                       // key of the only network to join; empty: the service's own
  duration limit{std::chrono::hours(1)};     // from its start to its end
  duration grace{std::chrono::seconds(10)};  // between stop and kill when it is cancelled or overruns
  std::function<void(std::string_view)> on_output;  // both streams, as they come
  std::function<void(const std::string& id, const std::string& name)> on_created;  // before it starts
  std::function<task<Result<>>()> may_start;  // asked last of all; its error is the job's
  bool keep = true;  // the container stays for its log and exit code; else removed at the end
};

struct job_result {
  std::string container_id;
  std::string container_name;
  int exit_code = 0;
  std::string started_at;  // RFC 3339, the engine's clock
  std::string finished_at;
  std::string output;  // the last 256 KiB
};

// Creates, attaches, starts and waits for the end. The image and the service's networks must exist; its
// dependencies are not started. A job that overruns its limit is stopped, then killed, and gives
// "deadline-exceeded"; an exit code other than 0 is a result, not an error. When the caller is cancelled the
// container goes on: whoever cancels calls stop_job with the id that on_created gave.
task<Result<job_result>> run_job(engine::client& engine, std::shared_ptr<const compose::project> project,
                                 struct dialect dialect, job_spec spec);

// One that another process started, by its container's name: waits for the end and gives its result.
// Errors: "engine-not-found", "deadline-exceeded".
task<Result<job_result>> await_job(engine::client& engine, std::string container, duration limit);

// Stops, after the grace kills, and confirms that it no longer runs.
task<Result<>> stop_job(engine::client& engine, std::string container, duration grace);

}  // namespace difyd::stack
