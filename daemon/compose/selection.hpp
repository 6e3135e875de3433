// Which services are on: profiles and the services named on the command line (REFERENCE 1.10).
#pragma once

#include <difyd/compose/project.hpp>

#include "tree.hpp"

namespace difyd::compose {

// Moves services between p.services and p.disabled_services and sets p.profiles.
void apply_profiles(project& p, text_list profiles);

// Turns on the profiles of the named services. Throws broken ("no-such-service").
void enable_services(project& p, const text_list& names);

// Keeps the named services and, if asked, what they depend on; nothing named = all.
void select_services(project& p, const text_list& names, bool with_dependencies);

}  // namespace difyd::compose
