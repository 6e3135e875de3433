// What people and programs read at /status and /metrics: written to the runtime directory, so that
// difyd-health serves it whatever becomes of this process.
#pragma once

#include "world.hpp"

namespace difyd::supervisor {

// Every two seconds, and soon after something happened. Begins the verdict's publication anew with each
// step, so that the maintenance page shows it.
task<void> keep_publishing(world& w);

// The operator's own maintenance page, read again now and then: it is on a disk that may hang.
task<void> keep_own_page(world& w);

}  // namespace difyd::supervisor
