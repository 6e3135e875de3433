// What a probe saw: one bounded observation about something that the stack stands on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/clock.hpp"

namespace difyd {

enum class severity { ok, info, warning, error, critical };

std::string_view to_text(severity value);

struct finding {
  std::string subject;  // "storage", "database.main", "redis", "engine", "disk", "service.api"
  std::string code;     // kebab case, stable: "mount-missing"
  severity level = severity::ok;
  std::string detail;  // one sentence, no secrets
  std::string remedy;  // what to do; empty when ok
  bool new_vm_helps = false;
  wall_time since{};  // first seen, set by the keeper of findings

  friend bool operator==(const finding&, const finding&) = default;
};

// Worst level of all, ok for none.
severity worst(const std::vector<finding>& findings);

}  // namespace difyd
