// What the director runs for commands that have no file of their own: down, restart, resume.
#pragma once

#include <string>
#include <vector>

#include "ended.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// `difyd down`: the stack goes and stays away, over restarts of the daemon too; its data stays.
task<ended> take_down(world& w, std::string id);

// The lease is another machine's: the stack stops until it is this one's again.
task<ended> stand_down(world& w, std::string id);

// Of all services where none is named. Errors "no-such-service", "nothing-deployed", "maintenance-on".
task<ended> restart(world& w, std::string id, std::vector<std::string> services);

// Tries a held upgrade again, from where the database is. Error "nothing-held".
task<ended> resume_held(world& w, std::string id);

}  // namespace difyd::supervisor
