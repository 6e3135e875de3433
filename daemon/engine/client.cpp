#include "difyd/engine/client.hpp"

#include <cstdlib>

#include "decode.hpp"
#include "query.hpp"
#include "stream_state.hpp"
#include "transport.hpp"

namespace difyd::engine {
namespace {

Result<http::endpoint> endpoint_from(std::string_view docker_host) {
  return http::parse_endpoint(docker_host.empty() ? "unix:///var/run/docker.sock" : docker_host);
}

}  // namespace

Result<http::endpoint> endpoint_from_environment(const std::vector<std::string>& environment) {
  constexpr std::string_view key = "DOCKER_HOST=";
  for (const auto& each : environment)
    if (each.starts_with(key)) return endpoint_from(std::string_view(each).substr(key.size()));
  return endpoint_from({});
}

Result<http::endpoint> endpoint_from_environment() {
  const char* value = std::getenv("DOCKER_HOST");
  return endpoint_from(value ? value : "");
}

bool is_unreachable(const Error& error) {
  return error.code == "engine-not-running" || error.code == "engine-permission-denied" ||
         error.code == "engine-unreachable" || error.code == "deadline-exceeded";
}

Error naming_address(Error error, std::string_view setting) {
  if (error.code == "engine-not-running")
    error.remedy += (error.remedy.empty() ? "It is looked for where " : ". It is looked for where ") +
                    std::string(setting) + " says";
  return error;
}

client::client(asio::any_io_executor executor, http::endpoint where)
    : transport_(std::make_shared<transport>(std::move(executor), std::move(where))),
      containers(transport_),
      images(transport_),
      networks(transport_),
      volumes(transport_) {}
client::~client() = default;

task<Result<engine_version>> client::connect(duration limit) { return transport_->connect(limit); }
const engine_version& client::version() const { return transport_->version(); }
const http::endpoint& client::where() const { return transport_->where(); }

task<Result<>> client::ping(duration limit) {
  call of{"reach the Docker Engine", "GET", "/_ping"};
  of.limit = limit;
  return transport_->send_for_nothing(std::move(of));
}

task<Result<engine_info>> client::info(duration limit) {
  call of{"read the Docker Engine's description", "GET", "/info"};
  of.limit = limit;
  auto value = co_await transport_->send_for_json(std::move(of));
  if (!value) co_return std::unexpected(std::move(value.error()));
  co_return decode_info(*value);
}

task<Result<event_stream>> client::events(filter_map filters, std::string since, std::string until,
                                          duration limit) {
  query path("/events");
  path.add_if(!since.empty(), "since", since).add_if(!until.empty(), "until", until).filters(filters);
  call of{"read the events of the Docker Engine", "GET", path.text()};
  of.limit = limit;
  const std::string what = of.what;
  auto stream = co_await transport_->open(std::move(of));
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return event_stream(
      std::make_unique<event_stream::state>(what, std::move(*stream), json_splitter{}, std::deque<event>{}));
}

}  // namespace difyd::engine
