// Where an emitter writes to: JSON, compact or indented, as Go's encoding/json writes it, or
// YAML as go-yaml v3 does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace difyd::compose {

class sink {
 public:
  sink() = default;
  sink(const sink&) = delete;
  sink& operator=(const sink&) = delete;
  virtual ~sink() = default;

  virtual void begin_map() = 0;
  virtual void key(std::string_view name) = 0;
  virtual void end_map() = 0;
  virtual void begin_list() = 0;
  virtual void end_list() = 0;
  virtual void text(std::string_view t) = 0;
  virtual void literal(std::string_view t) = 0;  // numbers, true, false, null

  void integer(std::int64_t n) { literal(std::to_string(n)); }
  void boolean(bool on) { literal(on ? "true" : "false"); }
  void null() { literal("null"); }
  void real(float n);
  void real(double n);

  virtual bool is_yaml() const = 0;
};

std::unique_ptr<sink> json_sink(std::string& out, bool indented);
std::unique_ptr<sink> yaml_sink(std::string& out);

}  // namespace difyd::compose
