// One call to the engine: version prefix, deadline, and errors as sentences.
#pragma once

#include <memory>
#include <string>

#include "difyd/engine/client.hpp"
#include "difyd/http/client.hpp"
#include "json.hpp"

namespace difyd::engine {

struct call {
  std::string what;  // completes "cannot ...": "start container web"
  std::string method = "GET";
  std::string path = {};  // and query, without the version
  std::string body = {};
  std::string content_type = "application/json";  // sent where there is a body
  http::headers headers = {};
  duration limit = default_deadline;
  std::size_t max_answer = 64u << 20;
  bool unchanged_is_good = false;  // 304: already in the wanted state
};

class transport {
 public:
  transport(asio::any_io_executor executor, http::endpoint where)
      : http_(std::move(executor), std::move(where)) {}

  // The body of a good answer.
  task<Result<std::string>> send(call of);
  task<Result<json>> send_for_json(call of);
  task<Result<>> send_for_nothing(call of);
  task<Result<http::body_stream>> open(call of);
  task<Result<http::raw_stream>> upgrade(call of);

  task<Result<engine_version>> connect(duration limit);
  const engine_version& version() const { return version_; }
  const http::endpoint& where() const { return http_.where(); }

 private:
  task<Result<>> negotiate_once();
  task<Result<http::request>> prepare(call& of);
  Error refused(const call& of, int status, std::string_view body);
  task<Result<std::string>> ask_api_version(duration limit);
  task<Result<engine_version>> confirm(engine_version wanted, duration limit);

  http::client http_;
  engine_version version_;
};

// Own range and the engine's newest -> what to speak. Errors: "engine-too-old", "engine-malformed-answer".
Result<std::string> choose_api(std::string_view newest_of_engine, const std::string& where);

}  // namespace difyd::engine
