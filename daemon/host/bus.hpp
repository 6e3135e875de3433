// sd-bus, in the one file that includes it. Everything here blocks, up to its deadline.
#pragma once

#include <chrono>
#include <string>

#include "difyd/base/error.hpp"
#include "difyd/host/systemd.hpp"

namespace difyd::host::bus {

using deadline = std::chrono::steady_clock::time_point;

Result<unit_state> unit_state_of(const std::string& unit, deadline end);

// `method`: StartUnit, StopUnit or RestartUnit; `verb` for sentences.
Result<> run_job(const std::string& method, const std::string& verb, const std::string& unit, deadline end);

Result<> reload_units(deadline end);

}  // namespace difyd::host::bus
