#include "difyd/host/api_request.hpp"

#include <nlohmann/json.hpp>

#include "difyd/host/share.hpp"
#include "helper_call.hpp"

namespace difyd::host {

using nlohmann::json;

task<Result<api_answer>> call_api(api_request what) {
  const json request{
      {"method", what.method}, {"url", what.url}, {"headers", what.headers}, {"body", what.body}};
  auto spec = helper_spec(default_helper(), {"request"}, request.dump(), what.limit);
  add_network(spec.environment);
  spec.max_output = 8u << 20;
  auto text = answer_of(co_await run_process(std::move(spec)));
  if (!text && text.error().code == "deadline-exceeded")
    co_return api_answer{0, "no answer within " + to_text(what.limit)};
  if (!text) co_return fail(text.error());
  const auto answer = json::parse(*text, nullptr, false);
  if (!answer.is_object()) co_return fail("request-failed", "cannot read the answer of difyd-helper");
  co_return api_answer{answer.value("status", 0), answer.value("body", "")};
}

}  // namespace difyd::host
