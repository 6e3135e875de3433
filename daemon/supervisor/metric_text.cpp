#include "metric_text.hpp"

#include <cstdio>

namespace difyd::supervisor {
namespace {

std::string escaped(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == '\\')
      result += "\\\\";
    else if (c == '"')
      result += "\\\"";
    else if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

}  // namespace

void metric_text::begin(std::string name, const char* type, std::string_view help) {
  name_ = std::move(name);
  text_.append("# HELP ").append(name_).append(" ").append(help);
  text_.append("\n# TYPE ").append(name_).append(" ").append(type).append("\n");
}

void metric_text::sample(double value, const metric_labels& labels) {
  text_ += name_;
  const char* before = "{";
  for (const auto& [key, label] : labels) {
    text_.append(before).append(key).append("=\"").append(escaped(label)).append("\"");
    before = ",";
  }
  if (!labels.empty()) text_ += '}';
  char number[40];
  std::snprintf(number, sizeof number, " %.15g\n", value);
  text_ += number;
}

}  // namespace difyd::supervisor
