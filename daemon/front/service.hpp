// What difyd-health answers: health on its own port, and nginx's port while nginx is down.
#pragma once

#include "port_holder.hpp"

namespace difyd::front {

// /healthz, /readyz, /metrics, and /status where that is switched on. Listens where the
// verdict says, else at `fallback`.
port_rules health_port(cell<served>& current, wanted_port fallback, bool with_status);

// 200 on the page's health path, the maintenance page for everything else.
port_rules maintenance_port(cell<served>& current);

}  // namespace difyd::front
