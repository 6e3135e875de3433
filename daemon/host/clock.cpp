#include <sys/timex.h>

#include <cerrno>
#include <cstring>

#include "difyd/host/probes.hpp"

namespace difyd::host {

Result<clock_state> measure_clock() {
  timex state{};
  if (::adjtimex(&state) < 0)
    return fail("file-io", std::string("cannot ask the kernel about the clock: ") + std::strerror(errno));
  return clock_state{(state.status & STA_UNSYNC) == 0, static_cast<double>(state.maxerror) / 1e6};
}

finding judge_clock(const Result<clock_state>& clock) {
  finding found{"clock", "clock-ok", severity::ok, "the clock is synchronised", {}, false, {}};
  if (!clock) {
    found = {"clock", "clock-unknown", severity::info, clock.error().message, {}, false, {}};
  } else if (!clock->synchronised) {
    found.code = "clock-unsynchronised";
    found.level = severity::warning;
    found.detail = "nothing keeps the clock of this machine right";
    found.remedy = "Signed links, tokens and TLS depend on it: timedatectl set-ntp true, or install chrony";
  }
  return found;
}

}  // namespace difyd::host
