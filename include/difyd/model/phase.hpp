// The phase of the daemon and the verdict that autohealer and load balancer are told.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "difyd/base/clock.hpp"

namespace difyd {

enum class phase { starting, waiting_for_lease, serving, upgrading, holding, stopped };

std::string_view to_text(phase value);  // "waiting-for-lease"
std::optional<phase> parse_phase(std::string_view text);

// An answer of one health endpoint.
enum class answer { ok, maintenance, unavailable };

struct verdict {
  answer healthz = answer::ok;          // 200, 200, 503
  answer readyz = answer::unavailable;  // 200, configured, 503
  int row = 0;                          // row of health::judge's list that decided
  std::string reason;                   // one sentence, no versions, no internals
  phase current = phase::starting;
  wall_time judged{};
};

}  // namespace difyd
