// Logging with fields: one line, logfmt, to standard error (the journal adds time and unit).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace difyd::log {

enum class level { debug, info, warning, error };

struct field {
  std::string_view key;
  std::string value;
};

// Under systemd (JOURNAL_STREAM) lines carry "<N>" priorities instead of time and level.
void start(level lowest);

void write(level severity, std::string_view module, std::string_view message,
           std::initializer_list<field> fields = {});

inline void debug(std::string_view module, std::string_view message,
                  std::initializer_list<field> fields = {}) {
  write(level::debug, module, message, fields);
}
inline void info(std::string_view module, std::string_view message,
                 std::initializer_list<field> fields = {}) {
  write(level::info, module, message, fields);
}
inline void warning(std::string_view module, std::string_view message,
                    std::initializer_list<field> fields = {}) {
  write(level::warning, module, message, fields);
}
inline void error(std::string_view module, std::string_view message,
                  std::initializer_list<field> fields = {}) {
  write(level::error, module, message, fields);
}

}  // namespace difyd::log
