// The operations that make containers.
#include <filesystem>
#include <fstream>

#include "difyd/stack/labels.hpp"
#include "run.hpp"

namespace difyd::stack {
api_version api_of(const engine::engine_version& v) {
  api_version api;
  const auto dot = v.api.find('.');
  if (dot == std::string::npos) return api;
  api.major = std::atoi(v.api.c_str());
  api.minor = std::atoi(v.api.c_str() + dot + 1);
  return api;
}

namespace {

// The services whose namespaces or volumes a service takes part in.
std::set<std::string> shared_with(const compose::service& s) {
  std::set<std::string> services;
  constexpr std::string_view prefix = "service:";
  for (const auto* space : {&s.network_mode, &s.ipc, &s.pid})
    if (space->starts_with(prefix)) services.insert(space->substr(prefix.size()));
  for (const auto& from : s.volumes_from)
    if (!from.starts_with("container:")) services.insert(from.substr(0, from.find(':')));
  return services;
}

// Those that can be read; the one who needs another says so.
compose::text_map read_profiles(const compose::service& s, const std::filesystem::path& folder) {
  compose::text_map read;
  for (const auto& option : s.security_opt) {
    const auto path = seccomp_profile_of(option);
    if (path.empty()) continue;
    std::ifstream in(folder / path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in && nlohmann::json::accept(text)) read[path] = text;
  }
  return read;
}

}  // namespace

// The first container of a service by name.
task<Result<std::string>> plan_run::container_of(const std::string& service) {
  engine::container_filter filter;
  filter.labels = {std::string(label::project) + "=" + plan_.project_name,
                   std::string(label::service) + "=" + service, std::string(label::one_off) + "=False"};
  auto listed = co_await engine_.containers.list(std::move(filter));
  if (!listed) co_return std::unexpected(listed.error());
  const engine::container_summary* first = nullptr;
  for (const auto& c : *listed)
    if (first == nullptr || c.name() < first->name()) first = &c;
  co_return first == nullptr ? std::string() : first->id;
}

task<Result<create_context>> plan_run::context(const operation& op, std::string replaces) {
  create_context c;
  c.project = plan_.project.get();
  c.service = op.service;
  c.number = op.number;
  c.api = api_of(engine_.version());
  c.dialect = plan_.dialect;
  c.base_environment = options_.base_environment;
  c.inherited = op.inherited;
  c.replaces = std::move(replaces);
  const auto& s = plan_.project->services.at(op.service);
  const auto reference = image_reference(*plan_.project, s);
  if (!image_ids_.contains(reference)) {
    auto image = co_await engine_.images.inspect(reference);
    if (!image) co_return std::unexpected(naming(image.error(), "create container", op.target));
    image_ids_[reference] = image->id;
  }
  c.image_id = image_ids_[reference];
  if (plan_.alone) c.alone = plan_.alone;
  c.seccomp_profiles = read_profiles(s, plan_.project->working_dir);
  for (const auto& service : shared_with(s)) {
    auto id = co_await container_of(service);
    if (!id) co_return std::unexpected(id.error());
    if (!id->empty()) c.container_ids[service] = *id;
  }
  co_return c;
}

task<Result<>> put_files(engine::client& engine, std::string id, std::vector<inline_file> files) {
  for (const auto& file : files) {
    auto tar = tar_of(file);
    if (!tar) co_return std::unexpected(tar.error());
    auto done = co_await engine.containers.put_archive(id, "/", std::move(*tar), file.owned);
    if (!done) co_return done;
  }
  co_return Result<>{};
}

task<Result<>> finish_created(engine::client& engine, std::string id, create_request request,
                              std::vector<inline_file> files) {
  for (auto& connect : request.connects) {
    auto done = co_await engine.networks.connect(connect.network, id, connect.endpoint.dump());
    if (!done) co_return done;
  }
  co_return co_await put_files(engine, std::move(id), std::move(files));
}

task<Result<std::string>> plan_run::make_container(const operation& op, std::string replaces) {
  auto c = co_await context(op, std::move(replaces));
  if (!c) co_return std::unexpected(c.error());
  auto request = create_container_request(*c);
  if (!request) co_return std::unexpected(request.error());
  auto files = inline_files(*plan_.project, plan_.project->services.at(op.service));
  if (!files) co_return std::unexpected(files.error());
  auto body = request->body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  auto created = co_await engine_.containers.create(request->name, std::move(body), request->platform,
                                                    options_.create_limit);
  if (!created) co_return std::unexpected(naming(created.error(), "create container", op.target));
  for (const auto& warning : created->warnings) warn(op.target + ": " + warning);
  auto finished = co_await finish_created(engine_, created->id, std::move(*request), std::move(*files));
  if (!finished) {
    (void)co_await engine_.containers.remove(created->id, true, true);
    co_return std::unexpected(naming(finished.error(), "create container", op.target));
  }
  co_return created->id;
}

task<Result<>> plan_run::create_container(const operation& op) {
  auto id = co_await make_container(op, {});
  if (!id) co_return std::unexpected(id.error());
  ids_[op.target] = *id;
  fresh_.insert(*id);
  co_return Result<>{};
}

// The new container is made beside the old one, so that a request which the engine refuses
// costs nothing; only then the old one goes. Whatever is left by an interruption in between is
// found by its name and label.
task<Result<>> plan_run::recreate_container(const operation& op) {
  auto id = co_await make_container(op, op.container_id);
  if (!id) co_return std::unexpected(id.error());
  auto stopped = co_await engine_.containers.stop(op.container_id, op.timeout, stop_limit(op));
  if (stopped) stopped = co_await engine_.containers.remove(op.container_id, false, false);
  if (!stopped && stopped.error().code != "engine-not-found") {
    (void)co_await engine_.containers.remove(*id, true, false);
    co_return std::unexpected(naming(stopped.error(), "replace container", op.target));
  }
  auto renamed = co_await engine_.containers.rename(*id, op.new_name);
  if (!renamed) co_return std::unexpected(naming(renamed.error(), "rename container to", op.new_name));
  ids_[op.new_name] = *id;
  co_return Result<>{};
}

task<Result<>> plan_run::connect_network(const operation& op) {
  auto c = co_await context(op, {});
  if (!c) co_return std::unexpected(c.error());
  c->api = std::max(c->api, api_version{1, 44});  // so that every endpoint is in one place
  auto request = create_container_request(*c);
  if (!request) co_return std::unexpected(request.error());
  const auto& name = plan_.project->networks.at(op.network).name;
  auto endpoint = request->body["NetworkingConfig"]["EndpointsConfig"][name].dump();
  auto done = co_await engine_.networks.connect(name, id_of(op), std::move(endpoint));
  if (!done) co_return std::unexpected(naming(done.error(), "connect " + op.target + " to network", name));
  co_return Result<>{};
}

}  // namespace difyd::stack
