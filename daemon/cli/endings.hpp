// How an operation that is over is told: pure, from what the daemon knows of it.
#pragma once

#include <string>
#include <vector>

#include "difyd/control/wire.hpp"

namespace difyd::cli {

// "1.11.4 -> 1.12.1"; "-" where nothing was deployed before.
std::string versions_of(const control::operation_status& upgrade);

// The result of an upgrade that has ended, as its last event had it; of a hold the daemon's message is the
// reason where the history has none.
control::event ending_of(const control::operation_status& upgrade,
                         const std::vector<control::past_upgrade>& history, const control::status& now);

// Whether an operation ended because difyd abort asked for it.
bool ended_by_abort(const control::event& result);

// "the upgrade was aborted in step prepare; Dify 1.11.4 serves"
std::string abort_text(const control::event& result, const control::status& now);

}  // namespace difyd::cli
