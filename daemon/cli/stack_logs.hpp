// `difyd logs`: what the stack's containers write, straight from the engine.
#pragma once

#include "compose_session.hpp"
#include "context.hpp"

namespace difyd::cli {

// Services, tail, follow and timestamps are taken from `how`. Works without the daemon too.
int show_logs(const options& given, compose_options how);

// What --tail takes: empty, or why not. As CLI11 wants it.
std::string line_count(const std::string& text);

// nullopt: all of them are there. `known` are the stack's services, `present` those that have a container.
std::optional<Error> nothing_to_show(const std::vector<std::string>& asked,
                                     const std::vector<std::string>& known,
                                     const std::vector<std::string>& present, const std::string& project);

}  // namespace difyd::cli
