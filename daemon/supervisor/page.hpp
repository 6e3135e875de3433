// The maintenance page on nginx's published port while nginx is down.
#pragma once

#include <cstdint>
#include <optional>

#include "world.hpp"

namespace difyd::supervisor {

// The port that nginx publishes for HTTP; nullopt where it publishes none.
std::optional<std::uint16_t> published_port(const compose::project& project);

// What difyd-health shows on that port; nullopt where the page is switched off.
std::optional<front::maintenance_page> maintenance_page_of(const config::settings& settings,
                                                           const release::release& serving,
                                                           const version& to);

// Tells difyd-health to let the port go and waits until nginx may have it.
task<Result<>> take_page_down(world& w, const release::release& what);

}  // namespace difyd::supervisor
