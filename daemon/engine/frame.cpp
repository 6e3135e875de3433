#include "difyd/engine/frame.hpp"

#include <algorithm>
#include <cstdint>

namespace difyd::engine {
namespace {

constexpr std::size_t header_size = 8;

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t result = 0;
  for (const char byte : four) result = (result << 8) | static_cast<unsigned char>(byte);
  return result;
}

bool is_header(std::string_view header) {
  return static_cast<unsigned char>(header[0]) <= 2 && header.substr(1, 3) == std::string_view("\0\0\0", 3);
}

std::unexpected<Error> malformed_stream(const std::string& cause) {
  return fail("engine-malformed-answer", "cannot read a stream of the Docker Engine: " + cause);
}

}  // namespace

Result<std::vector<frame>> frame_decoder::feed(std::string_view bytes) {
  std::vector<frame> result;
  if (tty_) {
    if (!bytes.empty()) result.push_back({stream_kind::standard_output, std::string(bytes)});
    return result;
  }
  while (!bytes.empty()) {
    if (left_ == 0) {
      const std::size_t part = std::min(bytes.size(), header_size - header_.size());
      header_.append(bytes.substr(0, part));
      bytes.remove_prefix(part);
      if (header_.size() < header_size) break;
      if (!is_header(header_))
        return malformed_stream("it is not divided into frames; has the container a terminal?");
      kind_ = static_cast<stream_kind>(header_[0]);
      left_ = big_endian(std::string_view(header_).substr(4));
      header_.clear();
      continue;
    }
    const std::size_t part = std::min(bytes.size(), left_);
    result.push_back({kind_, std::string(bytes.substr(0, part))});
    bytes.remove_prefix(part);
    left_ -= part;
  }
  return result;
}

Result<std::vector<std::string>> json_splitter::feed(std::string_view bytes) {
  std::vector<std::string> result;
  for (const char c : bytes) {
    if (depth_ == 0 && c != '{') {
      if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
      return malformed_stream("an object was expected");
    }
    pending_ += c;
    if (in_string_) {
      const bool ends = c == '"' && !escaped_;
      escaped_ = c == '\\' && !escaped_;
      in_string_ = !ends;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      result.push_back(std::exchange(pending_, {}));
    }
    if (pending_.size() > max_object_) return malformed_stream("an object is longer than allowed");
  }
  return result;
}

}  // namespace difyd::engine
