// Reads a project's state from the engine.
#pragma once

#include <difyd/engine/client.hpp>
#include <difyd/stack/observed.hpp>

namespace difyd::stack {

enum class observing {
  listed,     // of what runs only what the list says: no times, policies, limits or reasons of an end
  inspected,  // each container is inspected
  detailed    // with Config and HostConfig, so that a plan can name the changed fields
};

struct observe_options {
  // Also looks up the networks, volumes and images that this project refers to.
  std::shared_ptr<const compose::project> project;
  observing depth = observing::inspected;
  duration limit{std::chrono::seconds(30)};
};

// One list and an inspect per container, in parallel; containers that vanish meanwhile are left
// out. Errors: those of the engine client.
task<Result<observed>> observe(engine::client& engine, std::string project, observe_options options = {});

struct project_summary {
  std::string name;
  std::string working_dir;
  std::string config_files;
  int running = 0;
  int containers = 0;
};

// Every compose project that has containers on the engine.
task<Result<std::vector<project_summary>>> list_projects(engine::client& engine);

}  // namespace difyd::stack
