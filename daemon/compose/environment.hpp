// The environment of a project and of its services: env files, env_file, label_file.
#pragma once

#include <difyd/compose/project.hpp>
#include <difyd/compose/reader.hpp>

#include "tree.hpp"

namespace difyd::compose {

// Adds what the dotenv files say to `environment` (REFERENCE 1.4): what is there wins; among the
// files the later one wins.
void add_env_files(workspace& w, const reader& files, const text_list& paths, text_map& environment);

// Merges env_file and label_file of every active service into environment and labels, and
// clears them (REFERENCE 1.11). `model` knows the places.
void resolve_service_files(workspace& w, const reader& files, const node& model, project& p);

}  // namespace difyd::compose
