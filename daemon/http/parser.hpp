// Incremental parser of one HTTP/1.1 message, without I/O. Beast does the parsing; this header
// keeps it out of everybody else's translation unit.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "difyd/http/message.hpp"

namespace difyd::http {

enum class parse_failure { none, malformed, header_too_large, body_too_large, truncated };

struct parse_limits {
  std::uint32_t header = 64u << 10;
  std::uint64_t body = std::numeric_limits<std::uint64_t>::max();
};

struct parsed_head {
  std::string method;
  std::string target;
  int status = 0;
  int version = 11;  // 10 for HTTP/1.0
  http::headers headers;
};

class parser {
 public:
  virtual ~parser() = default;

  // Takes from the front of `buffer` what belongs to this message. Nothing is taken until the
  // whole header is there. With `stop_at_body` it takes no more than the header.
  virtual parse_failure put(std::string& buffer, bool stop_at_body = false) = 0;
  // The connection ended: the message is complete or truncated.
  virtual parse_failure put_end() = 0;

  virtual bool header_done() const = 0;
  virtual bool done() const = 0;
  virtual bool keep_alive() const = 0;

  parsed_head head;
  std::string body;  // what has come of it; the owner may take it away
};

std::unique_ptr<parser> request_parser(parse_limits limits);
// The answer to HEAD has no body, whatever its header says.
std::unique_ptr<parser> response_parser(parse_limits limits, bool to_head);

}  // namespace difyd::http
