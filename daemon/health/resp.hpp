// Redis' protocol (RESP2), as much as a health check needs. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace difyd::health {

struct redis_reply {
  bool error = false;
  std::string text;  // of a simple string, an error, a number or a bulk string; empty for nil
};

// A command as an array of bulk strings.
std::string redis_command(const std::vector<std::string>& words);

enum class redis_progress { incomplete, complete, malformed };

// Takes one reply off the front of `buffer` once it is complete. Arrays are malformed here.
redis_progress take_reply(std::string& buffer, redis_reply& reply);

// "used_memory:123" in the text of INFO, empty where it is absent.
std::string redis_field(std::string_view info, std::string_view key);

}  // namespace difyd::health
