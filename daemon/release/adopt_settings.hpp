// What difyd has keys of its own for, read from an installation's environment. Pure.
#pragma once

#include "difyd/release/adopt.hpp"

namespace difyd::release {

Result<> read_settings(const adoption_facts& facts, const text_map& published, adoption& into);

// COMPOSE_PROFILES as it was, where difyd would derive others. `derived`: by these settings.
void read_profiles(const adoption_facts& facts, const std::string& derived, config::settings& into);

}  // namespace difyd::release
