#include "resp.hpp"

#include <charconv>

#include "difyd/base/text.hpp"

namespace difyd::health {
namespace {

constexpr long largest_bulk = 1 << 20;

redis_progress take_bulk(std::string& buffer, std::size_t line_end, redis_reply& reply) {
  long length = 0;
  const auto [end, error] = std::from_chars(buffer.data() + 1, buffer.data() + line_end, length);
  if (error != std::errc{} || end != buffer.data() + line_end || length < -1 || length > largest_bulk)
    return redis_progress::malformed;
  const std::size_t begin = line_end + 2;
  if (length == -1) {
    reply = {};
    buffer.erase(0, begin);
    return redis_progress::complete;
  }
  const auto size = static_cast<std::size_t>(length);
  if (buffer.size() < begin + size + 2) return redis_progress::incomplete;
  reply = {false, buffer.substr(begin, size)};
  buffer.erase(0, begin + size + 2);
  return redis_progress::complete;
}

}  // namespace

std::string redis_command(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

redis_progress take_reply(std::string& buffer, redis_reply& reply) {
  const auto line_end = buffer.find("\r\n");
  if (line_end == std::string::npos)
    return buffer.size() > largest_bulk ? redis_progress::malformed : redis_progress::incomplete;
  switch (buffer.front()) {
    case '$':
      return take_bulk(buffer, line_end, reply);
    case '+':
    case '-':
    case ':':
      reply = {buffer.front() == '-', buffer.substr(1, line_end - 1)};
      buffer.erase(0, line_end + 2);
      return redis_progress::complete;
    default:
      return redis_progress::malformed;
  }
}

std::string redis_field(std::string_view info, std::string_view key) {
  for (const auto& line : split(info, '\n')) {
    const auto text = trim(line);
    if (text.starts_with(key) && text.size() > key.size() && text[key.size()] == ':')
      return std::string(text.substr(key.size() + 1));
  }
  return {};
}

}  // namespace difyd::health
