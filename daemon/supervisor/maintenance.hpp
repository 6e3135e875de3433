// `difyd maintenance on|off`: visitors get the page, Dify goes on running behind it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// What the daemon before this one was told. A file that cannot be read counts as on: visitors were
// meant to be kept out.
void remember_maintenance(world& w);

// Whether visitors are kept out; not any more once they are being let in again.
bool closed(const world& w);
// Whether a service is kept down on purpose: nginx, so that the page has its port.
bool kept_down(const world& w, std::string_view service);
// The services of a release that are to run now; empty: all of them.
std::vector<std::string> services_to_run(const world& w, const release::release& what);

// Errors: "upgrade-in-flight", "held" (the page is up already), "bad-request".
Result<control::accepted> request_maintenance(world& w, const control::maintenance_wish& wish);

// Refuses what changes the version of Dify: it needs nginx's port to prove itself. Error "maintenance-on".
Result<> not_in_maintenance(const world& w, const std::string& what);

}  // namespace difyd::supervisor
