// Whether the object storage that Dify keeps its files in can be reached. Without credentials: whatever
// answers HTTP there, a refusal included, is there.
#include "difyd/health/probes.hpp"

namespace difyd::health {
namespace {

std::string value_of(const std::map<std::string, std::string, std::less<>>& environment, const char* key) {
  const auto found = environment.find(key);
  return found == environment.end() ? std::string() : found->second;
}

finding make(std::string code, severity level, std::string detail, std::string remedy = {}) {
  return {"object-storage", std::move(code), level, std::move(detail), std::move(remedy), false, {}};
}

}  // namespace

std::string object_endpoint(const std::map<std::string, std::string, std::less<>>& environment) {
  const auto type = value_of(environment, "STORAGE_TYPE");
  std::string endpoint;
  if (type == "s3") endpoint = value_of(environment, "S3_ENDPOINT");
  if (type == "opendal" && value_of(environment, "OPENDAL_SCHEME") == "s3")
    endpoint = value_of(environment, "OPENDAL_S3_ENDPOINT");
  if (endpoint.empty() || endpoint.find("://") != endpoint.npos) return endpoint;
  return "https://" + endpoint;
}

finding judge_object_storage(const std::string& endpoint, const Result<host::api_answer>& answer) {
  if (!answer)
    return make("object-storage-failing", severity::warning, answer.error().message, answer.error().remedy);
  if (answer->status == 0)
    return make("object-storage-away", severity::error, "cannot reach " + endpoint + ": " + answer->body,
                "Check that it runs, and S3_ENDPOINT of Dify's environment");
  const std::string text = endpoint + " answers " + std::to_string(answer->status);
  if (answer->status >= 500)
    return make("object-storage-failing", severity::error, text, "Look at the object storage itself");
  return make("object-storage-ok", severity::ok, text);
}

task<findings> probe_object_storage(std::string endpoint) {
  host::api_request request;
  request.url = endpoint;
  request.limit = std::chrono::seconds(15);
  const auto answer = co_await host::call_api(std::move(request));
  co_return findings{judge_object_storage(endpoint, answer)};
}

}  // namespace difyd::health
