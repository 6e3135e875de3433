// Changes to the engine, as the operations of the supervisor need them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "difyd/release/roles.hpp"
#include "difyd/stack/executor.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/plan.hpp"
#include "difyd/upgrade/guard.hpp"
#include "world.hpp"

namespace difyd::supervisor {

using release::infrastructure;
// On the migrators' containers: the id of their upgrade.
using upgrade::upgrade_label;

using project_ptr = std::shared_ptr<const compose::project>;

// Looks at the engine now and publishes what it sees.
task<Result<stack::observed>> look(world& w, project_ptr project = {});

// Options of every plan that the supervisor makes: restart policies are difyd's, folders
// below the working copy's volumes/ are made, and no two services run on one data directory.
stack::plan_options plan_defaults(const release::release& of);

// Looks at the engine and at the bind sources, and plans.
task<Result<stack::Plan>> plan_release(world& w, release_ptr release, stack::plan_options options);

// A project that lives as long as its release.
project_ptr project_of(const release_ptr& release);

// Applies and tells every operation as an event of `operation`.
task<Result<>> carry_out(world& w, stack::Plan plan, const std::string& operation);

// Brings services (all where empty) of a release up and waits until they are ready.
task<Result<>> bring_up(world& w, release_ptr release, std::vector<std::string> services,
                        const std::string& operation, duration limit, bool remove_orphans);

// Brings the whole stack of a release up: first what nginx shows, as it resolves its upstreams once, then
// nginx with the rest. Until then its port is the maintenance page's.
task<Result<>> bring_all_up(world& w, release_ptr release, const std::string& operation, bool remove_orphans);

// Makes the networks and volumes of a release, no container: a job may run before the stack.
task<Result<>> have_networks(world& w, release_ptr release, const std::string& operation);

// A one-off container, written as the observed stack's and with the client's proxies.
task<Result<stack::job_result>> run_job(world& w, project_ptr project, stack::job_spec job);

// Stops the services of the observed stack, in reverse order of their dependencies.
task<Result<>> stop_services(world& w, project_ptr project, std::vector<std::string> services,
                             std::optional<int> grace_seconds, const std::string& operation);

// Pulls what is not there; gives image -> id.
task<Result<std::map<std::string, std::string>>> have_images(world& w, project_ptr project,
                                                             const std::string& operation);

// Removes the ended containers of migrators but those of the upgrade `keep`.
task<void> sweep_migrators(world& w, std::string keep);

}  // namespace difyd::supervisor
