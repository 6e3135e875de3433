#include "difyd/engine/containers.hpp"

#include "decode.hpp"
#include "query.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

constexpr int default_grace = 10;  // the engine's, for a container without StopTimeout

call simple(std::string verb, const std::string& id, std::string method, std::string path, duration limit) {
  call result{std::move(verb) + " container " + short_id(id), std::move(method), std::move(path)};
  result.limit = limit;
  return result;
}

call with_grace(std::string verb, const std::string& id, std::optional<int> grace, duration limit) {
  query path(container_path(id, "/" + verb));
  if (grace) path.add("t", std::to_string(*grace));
  return simple(std::move(verb), id, "POST", path.text(),
                limit + std::chrono::seconds(std::max(0, grace.value_or(default_grace))));
}

}  // namespace

task<Result<std::vector<container_summary>>> containers_api::list(container_filter filter, duration limit) {
  query path("/containers/json");
  path.add_if(filter.all, "all")
      .filters({{"label", std::move(filter.labels)},
                {"name", std::move(filter.names)},
                {"status", std::move(filter.statuses)},
                {"id", std::move(filter.ids)},
                {"network", std::move(filter.networks)}});
  call of{"list containers", "GET", path.text()};
  of.limit = limit;
  auto value = co_await transport_->send_for_json(std::move(of));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_all<container_summary>(*value, decode_summary, "list containers");
}

task<Result<container>> containers_api::inspect(std::string id, duration limit) {
  auto value =
      co_await transport_->send_for_json(simple("inspect", id, "GET", container_path(id, "/json"), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_container(std::move(*value));
}

task<Result<created_container>> containers_api::create(std::string name, std::string body,
                                                       std::string platform, duration limit) {
  query path("/containers/create");
  path.add_if(!name.empty(), "name", name).add_if(!platform.empty(), "platform", platform);
  call of = simple("create", name.empty() ? "without a name" : name, "POST", path.text(), limit);
  const std::string what = of.what;
  of.body = std::move(body);
  auto value = co_await transport_->send_for_json(std::move(of));
  if (!value) co_return std::unexpected(std::move(value.error()));
  created_container result{text(*value, "Id"), texts(*value, "Warnings")};
  if (result.id.empty()) co_return std::unexpected(malformed(what, "it has no id"));
  co_return std::move(result);
}

task<Result<>> containers_api::start(std::string id, duration limit) {
  call of = simple("start", id, "POST", container_path(id, "/start"), limit);
  of.unchanged_is_good = true;
  return transport_->send_for_nothing(std::move(of));
}

task<Result<>> containers_api::stop(std::string id, std::optional<int> grace_seconds, duration limit) {
  call of = with_grace("stop", id, grace_seconds, limit);
  of.unchanged_is_good = true;
  return transport_->send_for_nothing(std::move(of));
}

task<Result<>> containers_api::restart(std::string id, std::optional<int> grace_seconds, duration limit) {
  return transport_->send_for_nothing(with_grace("restart", id, grace_seconds, limit));
}

task<Result<>> containers_api::kill(std::string id, std::string signal, duration limit) {
  query path(container_path(id, "/kill"));
  path.add_if(!signal.empty(), "signal", signal);
  return transport_->send_for_nothing(simple("kill", id, "POST", path.text(), limit));
}

task<Result<>> containers_api::remove(std::string id, bool force, bool volumes, duration limit) {
  query path(container_path(id));
  path.add_if(force, "force").add_if(volumes, "v");
  return transport_->send_for_nothing(simple("remove", id, "DELETE", path.text(), limit));
}

task<Result<>> containers_api::rename(std::string id, std::string name, duration limit) {
  query path(container_path(id, "/rename"));
  path.add("name", name);
  return transport_->send_for_nothing(simple("rename", id, "POST", path.text(), limit));
}

task<Result<>> containers_api::pause(std::string id, duration limit) {
  return transport_->send_for_nothing(simple("pause", id, "POST", container_path(id, "/pause"), limit));
}

task<Result<>> containers_api::unpause(std::string id, duration limit) {
  return transport_->send_for_nothing(simple("unpause", id, "POST", container_path(id, "/unpause"), limit));
}

task<Result<>> containers_api::update_restart_policy(std::string id, restart_policy policy, duration limit) {
  call of = simple("change the restart policy of", id, "POST", container_path(id, "/update"), limit);
  of.body = dump(json{
      {"RestartPolicy", {{"Name", std::move(policy.name)}, {"MaximumRetryCount", policy.maximum_retries}}}});
  return transport_->send_for_nothing(std::move(of));
}

}  // namespace difyd::engine
