// What Dify itself says: whether it was set up, and which version answers.
#include <nlohmann/json.hpp>

#include "difyd/health/probes.hpp"
#include "difyd/http/client.hpp"

namespace difyd::health {
namespace {

constexpr duration limit = std::chrono::seconds(5);

finding make(std::string subject, std::string code, severity level, std::string detail,
             std::string remedy = {}) {
  return {std::move(subject), std::move(code), level, std::move(detail), std::move(remedy), false, {}};
}

task<Result<http::response>> get(std::string address, std::uint16_t port, std::string path) {
  http::client client(co_await asio::this_coro::executor, http::tcp_endpoint(std::move(address), port));
  http::request wanted;
  wanted.target = std::move(path);
  wanted.headers.set("User-Agent", "difyd");
  http::send_options options;
  options.deadline = limit;
  co_return co_await client.send(std::move(wanted), options);
}

}  // namespace

finding judge_setup(const Result<std::string>& step, bool set_up_before) {
  if (!step) return make("setup", "setup-unknown", severity::info, step.error().message);
  if (*step == "finished") return make("setup", "setup-done", severity::ok, "Dify was set up");
  if (set_up_before)
    return make(
        "setup", "setup-lost", severity::error,
        "Dify says that it was never set up, but it was: it stands on an empty database",
        "Let nobody set it up anew. Compare the configured database with that of difyd history, and see "
        "difyd backup list");
  return make("setup", "setup-open", severity::info, "Dify waits to be set up by its first visitor",
              "Open its address, or keep others from it until you have");
}

task<Result<std::string>> ask_setup(std::string address, std::uint16_t port) {
  const auto answer = co_await get(std::move(address), port, "/console/api/setup");
  if (!answer) co_return std::unexpected(answer.error());
  const auto tree = nlohmann::json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !tree.is_object() || !tree.value("step", nlohmann::json()).is_string())
    co_return fail("setup-unreadable",
                   "cannot learn whether Dify was set up: it answers " + std::to_string(answer->status));
  co_return tree["step"].get<std::string>();
}

finding judge_api_version(const Result<std::string>& reported, const std::string& wanted) {
  if (!reported)
    return make("api", "api-version-unknown", severity::warning, reported.error().message,
                "difyd logs api says why");
  if (reported->empty() || *reported == wanted)
    return make("api", "api-version-ok", severity::ok,
                reported->empty() ? "the api does not say which version it is" : "the api is " + *reported);
  return make("api", "api-version-differs", severity::error,
              "the api says that it is " + *reported + ", and " + wanted + " is deployed",
              "See which image runs: difyd ps; difyd up brings the deployed one up");
}

task<Result<std::string>> ask_api_version(std::string address, std::uint16_t port) {
  const auto answer = co_await get(std::move(address), port, "/health");
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != 200)
    co_return fail("api-unhealthy", "the api answers /health with " + std::to_string(answer->status));
  co_return std::string(answer->headers.get("X-Version"));
}

}  // namespace difyd::health
