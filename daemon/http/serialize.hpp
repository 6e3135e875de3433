// The texts of HTTP/1.1 messages. Pure.
#pragma once

#include <string>
#include <string_view>

#include "difyd/base/error.hpp"
#include "difyd/http/message.hpp"

namespace difyd::http {

// Request line and headers; adds Host, User-Agent and Content-Length where missing. Error
// "request-invalid": a line break or space would let a value become a header of its own.
Result<std::string> head_text(const request& what, const std::string& host);

// How the body of an answer is delimited.
enum class framing { none, length, chunked, until_close };

framing framing_of(const response& what, std::string_view method, int version);
// Status line and headers; what cannot stand in a header is left out of it.
std::string head_text(const response& what, framing body, bool keep_alive);

std::string chunk(std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace difyd::http
