// Networks and volumes.
#include "decode.hpp"
#include "difyd/base/text.hpp"
#include "query.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

std::string network_path(const std::string& id, std::string_view rest = {}) {
  return "/networks/" + percent_encode(id) + std::string(rest);
}

std::string volume_path(const std::string& name) { return "/volumes/" + percent_encode(name); }

call calling(std::string what, std::string method, std::string path, duration limit, std::string body = {}) {
  call result{std::move(what), std::move(method), std::move(path), std::move(body)};
  result.limit = limit;
  return result;
}

// The name in a body, for sentences.
std::string name_in(const std::string& body) {
  const std::string name = text(json::parse(body, nullptr, false), "Name");
  return name.empty() ? "without a name" : name;
}

}  // namespace

task<Result<std::vector<network>>> networks_api::list(filter_map filters, duration limit) {
  query path("/networks");
  path.filters(filters);
  auto value = co_await transport_->send_for_json(calling("list networks", "GET", path.text(), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_all<network>(*value, decode_network, "list networks");
}

task<Result<network>> networks_api::inspect(std::string id, duration limit) {
  auto value = co_await transport_->send_for_json(
      calling("inspect network " + short_id(id), "GET", network_path(id), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_network(*value);
}

task<Result<std::string>> networks_api::create(std::string body, duration limit) {
  const std::string what = "create network " + name_in(body);
  auto value =
      co_await transport_->send_for_json(calling(what, "POST", "/networks/create", limit, std::move(body)));
  if (!value) co_return std::unexpected(std::move(value.error()));
  std::string id = text(*value, "Id");
  if (id.empty()) co_return std::unexpected(malformed(what, "it has no id"));
  co_return std::move(id);
}

task<Result<>> networks_api::connect(std::string id, std::string container, std::string endpoint_config,
                                     duration limit) {
  const std::string what = "connect container " + short_id(container) + " to network " + short_id(id);
  json body{{"Container", container}};
  if (!endpoint_config.empty()) {
    json config = json::parse(endpoint_config, nullptr, false);
    if (!config.is_object())
      co_return fail("engine-bad-request", "cannot " + what + ": its settings are no JSON object");
    body["EndpointConfig"] = std::move(config);
  }
  co_return co_await transport_->send_for_nothing(
      calling(what, "POST", network_path(id, "/connect"), limit, dump(body)));
}

task<Result<>> networks_api::disconnect(std::string id, std::string container, bool force, duration limit) {
  std::string what = "disconnect container " + short_id(container) + " from network " + short_id(id);
  return transport_->send_for_nothing(calling(std::move(what), "POST", network_path(id, "/disconnect"), limit,
                                              dump(json{{"Container", container}, {"Force", force}})));
}

task<Result<>> networks_api::remove(std::string id, duration limit) {
  return transport_->send_for_nothing(
      calling("remove network " + short_id(id), "DELETE", network_path(id), limit));
}

task<Result<std::vector<volume>>> volumes_api::list(filter_map filters, duration limit) {
  query path("/volumes");
  path.filters(filters);
  auto value = co_await transport_->send_for_json(calling("list volumes", "GET", path.text(), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_all<volume>(member(*value, "Volumes"), decode_volume, "list volumes");
}

task<Result<volume>> volumes_api::inspect(std::string name, duration limit) {
  auto value =
      co_await transport_->send_for_json(calling("inspect volume " + name, "GET", volume_path(name), limit));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_volume(*value);
}

task<Result<volume>> volumes_api::create(std::string body, duration limit) {
  std::string what = "create volume " + name_in(body);
  auto value = co_await transport_->send_for_json(
      calling(std::move(what), "POST", "/volumes/create", limit, std::move(body)));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_volume(*value);
}

task<Result<>> volumes_api::remove(std::string name, bool force, duration limit) {
  query path(volume_path(name));
  path.add_if(force, "force");
  return transport_->send_for_nothing(calling("remove volume " + name, "DELETE", path.text(), limit));
}

}  // namespace difyd::engine
