// The environment of a project and of its services: env files, env_file, label_file.
#pragma once

#include <difyd/compose/project.hpp>
#include <difyd/compose/reader.hpp>

#include "tree.hpp"

namespace difyd::compose {

// Adds what the dotenv files say to `environment` (REFERENCE 1.4): what is there wins; among the
// files the later one wins.
void add_env_files(workspace& w, const reader& files, const text_list& paths, text_map& environment);

// Where the value of a secret's or config's variable stands in the tree of a project that is included: its
// variables are not those of the project around it. docker compose has it under the same name.
constexpr std::string_view value_of_variable = "x-#value";

// Gives the bare names of `environment` lists, and what secrets and configs have of a variable, their values.
void resolve_variables(workspace& w, node& model, const text_map& environment);

// Merges env_file and label_file of every active service into environment and labels, and
// clears them (REFERENCE 1.11). `model` knows the places.
void resolve_service_files(workspace& w, const reader& files, const node& model, project& p);

}  // namespace difyd::compose
