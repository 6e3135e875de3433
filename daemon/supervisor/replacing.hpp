// Asking for another machine: nothing is asked for before it is on record, and the record is read anew
// before it is written.
#pragma once

#include "difyd/health/policy.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Another machine would begin without Dify's files, and without the record. A disk of its own below a local
// folder may go with the machine as well as the boot disk does: only what is mounted by its name is known to
// be elsewhere.
bool dies_with_the_machine(const config::settings& settings);

// What judging must know beside the findings.
health::policy policy_of(const config::settings& settings);
health::situation situation_of(const world& w);

// Keeps w.replacements, and puts w.replacement_wanted on record. Then the verdict is judged again.
task<void> keep_replacements(world& w);

// What was asked for, and what cannot be, as findings; for people.
std::vector<finding> replacement_findings(const health::memory& memory, const health::policy& rules,
                                          wall_time now);

}  // namespace difyd::supervisor
