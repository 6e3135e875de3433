// Prometheus' text exposition format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace difyd::supervisor {

using metric_labels = std::vector<std::pair<std::string_view, std::string>>;

class metric_text {
 public:
  // A family and its help; its samples follow at once.
  void gauge(std::string name, std::string_view help) { begin(std::move(name), "gauge", help); }
  void counter(std::string name, std::string_view help) { begin(std::move(name), "counter", help); }
  void sample(double value, const metric_labels& labels = {});

  const std::string& text() const { return text_; }

 private:
  void begin(std::string name, const char* type, std::string_view help);

  std::string name_;
  std::string text_;
};

}  // namespace difyd::supervisor
