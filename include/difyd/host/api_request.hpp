// A request to a web API, by difyd-helper: TLS and name resolution may hang, and cost a library.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd::host {

struct api_request {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  duration limit{std::chrono::seconds(60)};
};

struct api_answer {
  int status = 0;    // 0: none came
  std::string body;  // where none came, why
};

// The proxy is the environment's. Errors: "helper-missing", "request-failed".
task<Result<api_answer>> call_api(api_request what);

}  // namespace difyd::host
