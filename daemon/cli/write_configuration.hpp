// Puts a new configuration on disk: the secret files in a folder of their own, then the file that names them.
#pragma once

#include <string>

#include "difyd/release/new_configuration.hpp"

namespace difyd::cli {

// "<folder of the configuration>/secrets"
std::string secrets_beside(const std::string& config);

// Error "exists": what would be written is there. What a try that was killed has left behind is no such
// thing.
Result<> refuse_existing(const std::string& config);

// All or nothing, and nothing that is there is replaced: whoever is killed midway has no configuration, and
// the next try clears away what is left. Errors: "exists", "file-io", "disk-full".
Result<> write_configuration(const std::string& config, const std::string& head,
                             const release::new_configuration& made);

// DOCKER_HOST where it names an engine as engine.host does; else empty.
std::string engine_of_this_shell();

// What was there already is refused, what the disk refuses has failed, the rest was given wrong.
int exit_code_for_writing(const Error& error);

}  // namespace difyd::cli
