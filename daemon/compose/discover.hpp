// Which files, which folder, which name (REFERENCE 1.2, 1.3, 1.4).
#pragma once

#include <difyd/compose/load.hpp>

#include "tree.hpp"

namespace difyd::compose {

struct found_files {
  text_list files;        // absolute, or "-"
  text_list env_files;    // absolute; only those given by name
  std::string directory;  // the project directory, absolute
  text_map environment;   // the process's, filled up from the env files
};

found_files discover(workspace& w, const source& from, const reader& files);

// Lower case, without what a project name may not have.
std::string normal_name(std::string_view name);

// `named` is the interpolated top-level `name`, empty where no file has one.
std::string project_name(const source& from, const found_files& found, const std::string& named);

}  // namespace difyd::compose
