// What difyd-health answers: health on its own port, and nginx's port while nginx is down.
#pragma once

#include "port_holder.hpp"

namespace difyd::front {

// /healthz, /readyz, /metrics, and /status: to everybody where that is switched on here or in the
// verdict, else only to this machine itself. Listens where the verdict says, else at `fallback`.
port_rules health_port(cell<served>& current, wanted_port fallback, bool status_for_all);

// 200 on the page's health path, the maintenance page for everything else.
port_rules maintenance_port(cell<served>& current);

}  // namespace difyd::front
