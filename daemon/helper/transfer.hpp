// One GET over http or https, redirects included. Blocks.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"

namespace difyd::helper {

struct transfer_options {
  std::string proxy;               // empty: the environment's
  std::chrono::seconds stall{60};  // without a byte; then the transfer ends
};

// Head of the last answer.
struct answer {
  long status = 0;
  std::string url;            // that answered, after redirects
  std::string validator;      // a strong ETag, else Last-Modified; empty: neither
  std::string content_range;  // of a 206
  std::int64_t length = -1;   // of this answer's body; -1: not told
};

struct transfer_result {
  answer head;
  bool whole = false;    // the body came to its end
  bool refused = false;  // where not: the sink did not take it
  Error error{};         // where not: why
};

// Sees the body of a 200 or 206, piece by piece; an error ends the transfer and is its result's.
using body_sink = std::function<Result<>(const answer& head, std::string_view piece)>;

// `headers`: "Name: value". Errors are those before an answer: "release-fetch". At most five redirects, to
// http and https only, and from https never to http.
Result<transfer_result> get(const std::string& url, std::vector<std::string> headers,
                            const transfer_options& options, const body_sink& sink);

// Whether a redirect is followed. Pure.
Result<> check_redirect(std::string_view from, std::string_view to);

}  // namespace difyd::helper
