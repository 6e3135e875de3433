// plan(project, observed, options) -> Plan: what has to happen so that the engine holds what
// the project says. Pure; every operation says why. The executor decides nothing.
#pragma once

#include <chrono>
#include <difyd/stack/observed.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace difyd::stack {

enum class op_kind {
  pull_image,
  create_folder,
  create_network,
  create_volume,
  create_container,
  recreate_container,  // created beside the old one, which is then stopped, removed, and its name taken over
  rename_container,    // finishes an interrupted recreation
  connect_network,
  set_restart_policy,
  start_container,
  stop_container,
  restart_container,
  remove_container,
  remove_network,
  remove_volume,
};

const char* to_text(op_kind kind);  // "create container", ...

// A condition on a service that must hold before an operation begins; it is looked at once
// every operation in `after` is done.
struct wait_condition {
  std::string service;
  std::string condition;  // service_started, service_healthy, service_completed_successfully
  bool required = true;   // false: a failure is a warning
  friend bool operator==(const wait_condition&, const wait_condition&) = default;
};

struct operation {
  int id = 0;  // position in the plan, from 1
  op_kind kind = op_kind::create_container;
  std::string target;   // name on the engine: container, network, volume, image reference, folder
  std::string service;  // key; empty for what belongs to none
  std::string cause;
  std::vector<int> after;
  std::vector<wait_condition> waits;

  int number = 0;            // of the container
  std::string container_id;  // of the container as observed; empty = found by its name when run
  std::string network;       // key of create_network; name on the engine of connect_network
  std::string volume;        // key of create_volume
  std::string new_name;      // rename_container
  std::string platform;      // pull_image
  std::string policy;        // set_restart_policy: no, always, unless-stopped, on-failure[:n]
  std::vector<inherited_volume> inherited;
  int grace = 10;               // seconds that a stop may take before the engine kills
  std::optional<int> timeout;   // explicit -t; else the engine uses the container's own
  bool remove_volumes = false;  // anonymous ones, with the container
};

struct Plan {
  std::shared_ptr<const compose::project> project;  // null in plans made from labels alone
  std::string project_name;
  struct dialect dialect;
  std::vector<operation> operations;           // an operation only depends on earlier ones
  std::optional<std::set<std::string>> alone;  // as in create_context
  std::vector<std::string> kept;               // running containers that plan() leaves as they are
  std::vector<std::string> warnings;

  bool empty() const { return operations.empty(); }
};

enum class pull_when { missing, always, never, as_service_says };

// Who answers for restarts.
enum class restart_owner {
  engine,      // the file's policy stays with the engine
  supervisor,  // every policy other than "no" is set to "no" before the start (DESIGN promise 3)
  give_back,   // a policy of "no" that the file does not ask for is set to the file's again
};

// What a missing bind source means (an error unless said otherwise).
struct bind_policy {
  std::string engine_creates_below;  // missing folders below this one are left to the engine to create
  std::string difyd_creates_below;   // missing folders below this one become create_folder operations
};

struct plan_options {
  std::vector<std::string> services;  // empty = all active ones
  bool with_dependencies = true;      // of the selected services
  bool force_recreate = false;
  bool no_recreate = false;
  bool remove_orphans = false;
  bool start = true;
  bool renew_anonymous_volumes = false;
  std::map<std::string, int> scale;  // over the file's
  // Within a plan "always" means "missing": what is pulled decides what is recreated, so apply
  // plan_refresh first and observe again.
  pull_when pull = pull_when::as_service_says;
  restart_owner restarts = restart_owner::engine;
  bind_policy binds;
  std::optional<int> timeout;  // -t for what is stopped
  // A running orphan on the same data directory as a service is an error, not a warning.
  bool refuse_shared_data = false;
  std::optional<struct dialect> dialect;  // default: dialect_in_use(observed)
  // Services that resolve the names of others only once (nginx) -> whose new start they must follow,
  // beside what they depend on.
  std::map<std::string, std::vector<std::string>> resolves_once = {
      {"nginx", {"api", "web", "plugin_daemon", "api_websocket"}}};
};

// Its pulls come first: where an image cannot be had, nothing is created, stopped or removed.
// Errors: "no-such-service", "image-missing" (pull policy never, or to be built), "bind-source-missing",
// "network-missing" and "volume-missing" (external), "network-mislabelled", "scale-conflict", "shared-data",
// "variable-not-set".
Result<Plan> plan(std::shared_ptr<const compose::project> project, const observed& now,
                  const plan_options& options = {});

struct down_options {
  bool volumes = false;  // -v: named and anonymous ones too
  bool remove_orphans = false;
  bool one_offs = false;       // remove ended and running one-off containers too
  bool disabled = true;        // also services whose profile is not enabled; docker compose leaves them
  std::optional<int> timeout;  // -t
};

// `project` may be null: then services, order, networks and volumes come from labels alone.
Plan plan_down(std::shared_ptr<const compose::project> project, const observed& now,
               const down_options& options = {});

// Stop in reverse dependency order, start and restart in order; of the named services (all if empty). They
// work from labels, so `project` may be null.
Plan plan_stop(std::shared_ptr<const compose::project> project, const observed& now,
               const std::vector<std::string>& services = {}, std::optional<int> timeout = {});
Plan plan_start(std::shared_ptr<const compose::project> project, const observed& now,
                const std::vector<std::string>& services = {});
Plan plan_restart(std::shared_ptr<const compose::project> project, const observed& now,
                  const std::vector<std::string>& services = {}, std::optional<int> timeout = {});

// The services, and those that depend on them with `restart: true`, on these in turn: what docker compose
// restarts. All (an empty list) stay all.
std::vector<std::string> with_followers(std::shared_ptr<const compose::project> project, const observed& now,
                                        const std::vector<std::string>& services);

// How old an image may grow under pull policy "daily", "weekly" or "every_<n>w|d|h|m|s" (compose-go,
// GetPullPolicy) before it is pulled again; nullopt: another policy.
std::optional<std::chrono::seconds> refresh_period(std::string_view policy);

// By reference, how long ago the engine gave an image its name last. Of others nothing is known, or they are
// not there.
using image_ages = std::map<std::string, std::chrono::seconds, std::less<>>;

// The pulls of what may be there already: what policy "always" asks for, and a period that has passed; of the
// selected services.
Plan plan_refresh(std::shared_ptr<const compose::project> project, const plan_options& options,
                  const image_ages& ages = {});

// Pulls of the distinct images of the services (all if empty).
Plan plan_pull(std::shared_ptr<const compose::project> project,
               const std::vector<std::string>& services = {});

// One line per operation: "3 create container x-api-1: missing (after 1, 2; redis service_healthy)".
std::string to_text(const Plan& plan);
nlohmann::json to_json(const Plan& plan);

// Names of the fields in which a container differs from what the project asks for, sorted, without
// their values: "environment.REDIS_PASSWORD", "image", "command". Empty without details.
std::vector<std::string> differences(const compose::project& p, const compose::service& s,
                                     const observed_container& container, const observed& now);

}  // namespace difyd::stack
