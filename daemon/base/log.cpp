#include "difyd/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace difyd::log {
namespace {

std::shared_ptr<spdlog::logger>& logger() {
  static auto instance =
      std::make_shared<spdlog::logger>("difyd", std::make_shared<spdlog::sinks::stderr_sink_st>());
  return instance;
}

bool& journal() {
  static bool value = false;
  return value;
}

spdlog::level::level_enum spdlog_level(level severity) {
  switch (severity) {
    case level::debug:
      return spdlog::level::debug;
    case level::info:
      return spdlog::level::info;
    case level::warning:
      return spdlog::level::warn;
    case level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

const char* priority(level severity) {
  switch (severity) {
    case level::debug:
      return "<7>";
    case level::info:
      return "<6>";
    case level::warning:
      return "<4>";
    case level::error:
      return "<3>";
  }
  return "<3>";
}

bool plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \"=\\\n\r\t") == std::string_view::npos;
}

// One record is one line whatever a container or a server put into the text.
void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '\n')
      line += "\\n";
    else if (c == '\r')
      line += "\\r";
    else if (c == '"' || c == '\\')
      (line += '\\') += c;
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
      line += '?';
    else
      line += c;
  }
  line += '"';
}

}  // namespace

void start(level lowest) {
  journal() = std::getenv("JOURNAL_STREAM") != nullptr;
  logger()->set_level(spdlog_level(lowest));
  logger()->flush_on(spdlog::level::debug);
  logger()->set_pattern(journal() ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
}

void write(level severity, std::string_view module, std::string_view message,
           std::initializer_list<field> fields) {
  if (!logger()->should_log(spdlog_level(severity))) return;
  std::string line;
  if (journal()) line += priority(severity);
  line += module;
  line += ": ";
  for (const char c : message) line += c == '\n' ? ' ' : c;
  for (const auto& each : fields) {
    line += ' ';
    line += each.key;
    line += '=';
    if (plain(each.value))
      line += each.value;
    else
      append_quoted(line, each.value);
  }
  logger()->log(spdlog_level(severity), "{}", line);
}

}  // namespace difyd::log
