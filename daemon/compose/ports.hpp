// The short form of a port: [ip:][published:]target[/protocol] (REFERENCE 1.13).
#pragma once

#include "tree.hpp"

namespace difyd::compose {

// Appends one mapping per port to `list`, in docker compose's order.
void add_long_ports(workspace& w, const node& n, node& list);  // n is a string or a whole number

}  // namespace difyd::compose
