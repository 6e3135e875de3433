// HTTP/1.1 messages as plain values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "difyd/base/task.hpp"

namespace difyd::http {

// Header fields in the order of the message; names compare without regard to case.
class headers {
 public:
  using field = std::pair<std::string, std::string>;

  headers() = default;
  headers(std::initializer_list<field> fields) : fields_(fields) {}

  // The first value of that name, or nullptr.
  const std::string* find(std::string_view name) const;
  // The first value of that name, or an empty text.
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string_view name, std::string value);  // replaces every field of that name
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<field> fields_;
};

struct request {
  std::string method = "GET";
  std::string target = "/";  // path and query, already percent-encoded
  http::headers headers;
  std::string body;

  std::string_view path() const;                                 // target up to '?'
  std::optional<std::string> query(std::string_view key) const;  // decoded; "" for a key without '='
};

// Yields the next piece of a body, nullopt at its end.
using body_source = std::function<task<std::optional<std::string>>()>;

// The server sets Date, Content-Length, Transfer-Encoding and Connection; a handler's header
// "Connection: close" ends the connection after the answer.
struct response {
  int status = 200;
  http::headers headers;
  std::string body;
  // Server only: sent chunked, piece by piece, after `body`. Cancelled when the client goes.
  body_source next;
};

// "Not Found"; "Unknown" for a status without a standard phrase.
std::string_view reason(int status);

response text_response(int status, std::string text);
response json_response(int status, std::string json);

// Percent-decoding of one query component; '+' stands for a space. nullopt if malformed.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace difyd::http
