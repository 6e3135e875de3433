// The operations of a plan but those that make containers.
#include <charconv>
#include <filesystem>

#include "difyd/base/text.hpp"
#include "difyd/stack/labels.hpp"
#include "pull_retry.hpp"
#include "run.hpp"

namespace difyd::stack {
namespace {

bool is(const Error& error, std::string_view code) { return error.code == code; }

// "... Bind for 0.0.0.0:8080 failed: port is already allocated", "... 0.0.0.0:8080: bind: address already in
// use"
std::string taken_port(const std::string& message) {
  if (message.find("already in use") == std::string::npos &&
      message.find("already allocated") == std::string::npos)
    return {};
  for (auto at = message.find(':'); at != std::string::npos; at = message.find(':', at + 1)) {
    auto end = at + 1;
    while (end < message.size() && message[end] >= '0' && message[end] <= '9') ++end;
    if (end > at + 1 && at > 0 &&
        (message[at - 1] == ']' || (message[at - 1] >= '0' && message[at - 1] <= '9')))
      return message.substr(at + 1, end - at - 1);
  }
  return {};
}

Error start_error(const Error& error, const std::string& target) {
  const auto port = taken_port(error.message);
  if (!port.empty())
    return {"port-taken", "cannot start container " + target + ": port " + port + " is already in use",
            "Stop what listens there (ss -ltnp 'sport = :" + port + "'), or publish another port"};
  return naming(error, "start container", target);
}

engine::restart_policy policy_from(const std::string& text) {
  engine::restart_policy policy;
  const auto colon = text.find(':');
  policy.name = text.substr(0, colon);
  if (colon != std::string::npos)
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), policy.maximum_retries);
  return policy;
}

}  // namespace

std::string plan_run::id_of(const operation& op) const {
  if (!op.container_id.empty()) return op.container_id;
  const auto made = ids_.find(op.target);
  return made == ids_.end() ? op.target : made->second;
}

duration plan_run::stop_limit(const operation& op) const {
  return options_.stop_margin + std::chrono::seconds(op.timeout.value_or(op.grace));
}

task<Result<>> plan_run::perform(const operation& op) {
  switch (op.kind) {
    case op_kind::pull_image:
      co_return co_await pull(op);
    case op_kind::create_folder:
      co_return co_await make_folder(op);
    case op_kind::create_network:
      co_return co_await create_network(op);
    case op_kind::create_volume:
      co_return co_await create_volume(op);
    case op_kind::create_container:
      co_return co_await create_container(op);
    case op_kind::recreate_container:
      co_return co_await recreate_container(op);
    case op_kind::connect_network:
      co_return co_await connect_network(op);
    case op_kind::set_restart_policy:
      co_return co_await set_policy(op);
    case op_kind::start_container:
      co_return co_await start(op);
    case op_kind::stop_container:
      co_return co_await stop(op);
    case op_kind::restart_container:
      co_return co_await restart(op);
    case op_kind::remove_container:
      co_return co_await remove_container(op);
    case op_kind::remove_network:
    case op_kind::remove_volume:
      co_return co_await remove_resource(op);
    case op_kind::rename_container:
      co_return co_await engine_.containers.rename(id_of(op), op.new_name);
  }
  co_return fail("unsupported", "cannot carry out an unknown operation");
}

task<Result<>> plan_run::pull(const operation& op) {
  while (pulling_ >= options_.parallel_pulls) {
    const auto seen = moved_.version();
    co_await moved_.wait(seen, std::chrono::hours(1));
  }
  struct slot {
    explicit slot(plan_run& r) : run(r) { ++run.pulling_; }
    ~slot() { --run.pulling_, run.moved_.all(); }
    plan_run& run;
  } const taken(*this);
  Result<std::string> auth = std::string(engine::anonymous_auth);
  if (options_.registry_auth) auth = co_await options_.registry_auth(op.target);
  engine::on_pull_progress progress = [this, &op](const engine::pull_progress& p) {
    const double fraction =
        p.total_bytes > 0 ? static_cast<double>(p.bytes) / static_cast<double>(p.total_bytes) : -1;
    std::string text = p.status;
    if (p.total_bytes > 0)
      text = bytes_text(static_cast<std::uint64_t>(p.bytes)) + " of " +
             bytes_text(static_cast<std::uint64_t>(p.total_bytes));
    report(op, state::working, text, fraction);
  };
  // As docker has it: without its helper, what is public can be had all the same.
  const auto password = auth.value_or(std::string(engine::anonymous_auth));
  auto image = co_await engine_.images.pull(op.target, op.platform, password, progress);
  for (int attempt = 1; !image && !failure_; ++attempt) {
    const auto wait = pull_again_after(image.error(), attempt);
    if (!wait) break;
    report(op, state::working, "trying again in " + difyd::to_text(*wait) + ": " + image.error().message);
    co_await pause(*wait);
    image = co_await engine_.images.pull(op.target, op.platform, password, progress);
  }
  if (!image) {
    auto error = naming(image.error(), "pull image", op.target);
    if (!auth) error.message += "; " + auth.error().message;
    co_return std::unexpected(std::move(error));
  }
  image_ids_[op.target] = image->id;
  co_return Result<>{};
}

task<Result<>> plan_run::make_folder(const operation& op) {
  if (options_.make_folder) co_return co_await options_.make_folder(op.target);
  std::error_code error;
  std::filesystem::create_directories(op.target, error);
  if (error)
    co_return fail("folder-not-created", "cannot create folder " + op.target + ": " + error.message());
  co_return Result<>{};
}

task<Result<>> plan_run::create_network(const operation& op) {
  auto body = network_create_body(*plan_.project, op.network, plan_.dialect).dump();
  auto made = co_await engine_.networks.create(std::move(body));
  // Somebody was quicker: it is there.
  if (!made && !is(made.error(), "engine-conflict"))
    co_return std::unexpected(naming(made.error(), "create network", op.target));
  co_return Result<>{};
}

task<Result<>> plan_run::create_volume(const operation& op) {
  auto body = volume_create_body(*plan_.project, op.volume, plan_.dialect).dump();
  auto made = co_await engine_.volumes.create(std::move(body));
  if (!made) co_return std::unexpected(naming(made.error(), "create volume", op.target));
  co_return Result<>{};
}

task<Result<>> plan_run::set_policy(const operation& op) {
  auto done = co_await engine_.containers.update_restart_policy(id_of(op), policy_from(op.policy));
  if (!done) co_return std::unexpected(naming(done.error(), "set the restart policy of", op.target));
  co_return Result<>{};
}

// What secrets and configs say may be another since the container was made, and is in no hash.
task<Result<>> plan_run::renew_files(const operation& op) {
  const auto* service = service_of(op);
  if (service == nullptr) co_return Result<>{};
  if (auto set = check_variables(*plan_.project, *service); !set) co_return set;
  auto files = inline_files(*plan_.project, *service);
  if (!files) co_return std::unexpected(files.error());
  co_return co_await put_files(engine_, id_of(op), std::move(*files));
}

task<Result<>> plan_run::start(const operation& op) {
  const auto id = id_of(op);
  if (!ids_.contains(op.target)) {
    auto renewed = co_await renew_files(op);
    if (!renewed) co_return std::unexpected(naming(renewed.error(), "start container", op.target));
  }
  auto started = co_await engine_.containers.start(id, options_.start_limit);
  if (started) {
    fresh_.erase(id);
    co_return co_await run_hooks(op, hook_point::post_start);
  }
  const auto error = start_error(started.error(), op.target);
  // It never ran, so nothing is lost, and nothing half-made stays behind.
  if (fresh_.contains(id)) (void)co_await engine_.containers.remove(id, true, true);
  co_return std::unexpected(error);
}

task<Result<>> plan_run::stop(const operation& op) {
  if (auto ran = co_await run_hooks(op, hook_point::pre_stop); !ran) co_return ran;
  auto stopped = co_await engine_.containers.stop(id_of(op), op.timeout, stop_limit(op));
  if (!stopped && !is(stopped.error(), "engine-not-found"))
    co_return std::unexpected(naming(stopped.error(), "stop container", op.target));
  co_return Result<>{};
}

task<Result<>> plan_run::restart(const operation& op) {
  if (auto ran = co_await run_hooks(op, hook_point::pre_stop); !ran) co_return ran;
  auto done =
      co_await engine_.containers.restart(id_of(op), op.timeout, stop_limit(op) + options_.start_limit);
  if (!done) co_return std::unexpected(start_error(done.error(), op.target));
  co_return co_await run_hooks(op, hook_point::post_start);
}

task<Result<>> plan_run::remove_container(const operation& op) {
  auto removed = co_await engine_.containers.remove(id_of(op), true, op.remove_volumes);
  if (!removed && !is(removed.error(), "engine-not-found") && !is(removed.error(), "engine-conflict"))
    co_return std::unexpected(naming(removed.error(), "remove container", op.target));
  co_return Result<>{};
}

// A network or volume that others use stays, as with docker compose.
task<Result<>> plan_run::remove_resource(const operation& op) {
  const bool network = op.kind == op_kind::remove_network;
  Result<> removed;
  if (network)
    removed = co_await engine_.networks.remove(op.target);
  else
    removed = co_await engine_.volumes.remove(op.target, true);
  if (removed || is(removed.error(), "engine-not-found")) co_return Result<>{};
  if (is(removed.error(), "engine-conflict") || is(removed.error(), "engine-forbidden")) {
    warn(std::string(network ? "network " : "volume ") + op.target + " is still in use and stays");
    left_.insert(op.id);
    co_return Result<>{};
  }
  co_return std::unexpected(naming(removed.error(), network ? "remove network" : "remove volume", op.target));
}

}  // namespace difyd::stack
