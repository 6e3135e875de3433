#include "difyd/host/metadata.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/http/client.hpp"

namespace difyd::host {
namespace {

constexpr duration limit = std::chrono::seconds(2);

http::endpoint metadata_endpoint() {
  const char* named = std::getenv("GCE_METADATA_HOST");
  if (!named || !*named) return http::tcp_endpoint("169.254.169.254", 80);
  const auto parsed = http::parse_endpoint(std::string("tcp://") + named, 80);
  return parsed ? *parsed : http::tcp_endpoint(named, 80);
}

std::unexpected<Error> unavailable(const std::string& cause) {
  return fail("metadata-unavailable", "cannot read the instance metadata: " + cause,
              "Where there is no metadata server, nothing needs it");
}

}  // namespace

cloud detect_cloud(const std::string& dmi_product) {
  if (const char* named = std::getenv("GCE_METADATA_HOST"); named && *named) return cloud::gce;
  const auto product = read_file(dmi_product, 4096);
  if (!product) return cloud::unknown;
  return trim(*product).starts_with("Google") ? cloud::gce : cloud::none;
}

task<Result<std::optional<std::string>>> read_metadata(std::string key) {
  http::client client(co_await asio::this_coro::executor, metadata_endpoint());
  http::request wanted;
  wanted.target = "/computeMetadata/v1/" + key;
  wanted.headers.set("Metadata-Flavor", "Google");
  const auto answer = co_await client.send(std::move(wanted), {.deadline = limit, .max_body = 512u << 10});
  if (!answer) co_return unavailable(answer.error().message);
  if (answer->headers.get("Metadata-Flavor") != "Google")
    co_return unavailable("somebody else answers on its address");
  if (answer->status == 404) co_return std::optional<std::string>();
  if (answer->status != 200) co_return unavailable("it answered " + std::to_string(answer->status));
  co_return std::optional<std::string>(trim(answer->body));
}

task<Result<std::optional<instance_metadata>>> read_instance_metadata() {
  if (detect_cloud() != cloud::gce) co_return std::optional<instance_metadata>();
  const auto id = co_await read_metadata("instance/id");
  if (!id) co_return std::unexpected(id.error());
  const auto wanted = co_await read_metadata("instance/attributes/difyd-version");
  if (!wanted) co_return std::unexpected(wanted.error());
  co_return std::optional(instance_metadata{id->value_or(""), wanted->value_or("")});
}

task<Result<std::optional<std::string>>> read_access_token() {
  const auto answer = co_await read_metadata("instance/service-accounts/default/token");
  if (!answer) co_return std::unexpected(answer.error());
  const auto tree = nlohmann::json::parse(answer->value_or(""), nullptr, false);
  const auto token = tree.is_object() ? tree.find("access_token") : tree.end();
  if (token == tree.end() || !token->is_string()) co_return std::optional<std::string>();
  co_return std::optional(token->get<std::string>());
}

}  // namespace difyd::host
