// The maintenance page on nginx's published port while nginx is down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "world.hpp"

namespace difyd::supervisor {

// Where nginx publishes HTTP.
struct entrance {
  std::string held;   // the address that it listens on
  std::string asked;  // an address of this machine at which that answers
  std::uint16_t port = 0;
};
// nullopt where it publishes none. Pure.
std::optional<entrance> published_entrance(const compose::project& project);

// What visitors are told. Pure.
struct page_facts {
  phase at = phase::starting;
  bool upgrading = false;   // there is an upgrade in flight
  bool going_back = false;  // which is put back
  bool restoring = false;
  bool maintenance = false;  // the operator's
};
front::situation situation_of(const page_facts& facts);

// Where the operator's own page is published.
std::string own_page_path(const world& w);

// The page as it is published now; nullopt where difyd-health is to let the port go.
std::optional<front::maintenance_page> page_now(const world& w, const verdict& given);

// Has difyd-health take the port of `what` as soon as nginx lets it go, unless it has it already
// or the page is switched off.
void put_page_up(world& w, const release::release& what);

// The same for a stack that stays down, in a hold or stopped, also after a restart of the daemon.
task<void> put_page_up_while_down(world& w);

// What the daemon before this one showed goes on until the start has decided.
void inherit_page(world& w);

// Tells difyd-health to let the port go and waits until nginx may have it.
task<Result<>> take_page_down(world& w, const release::release& what);

}  // namespace difyd::supervisor
