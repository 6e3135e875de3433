// A release as an archive: how it is called, and how its files become dify-<version> below releases.source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/base/tree.hpp"
#include "difyd/release/bundle.hpp"

namespace difyd::release {

// Names that an archive of this version may have, the likeliest first. Pure.
std::vector<std::string> archive_names(const difyd::version& which);

// Name below releases.source of what this URL gives. Pure.
std::string archive_name(const difyd::version& which, const std::string& url);

// A template of releases.url with the version in its place. Pure.
std::string url_for(const difyd::version& which, const std::string& url);

struct found_release {
  bool folder = false;  // it is unpacked
  std::string archive;  // path; empty: there is none
};
// Blocks.
found_release look_for(const std::string& source, const difyd::version& which);

// Versions that have a folder or an archive below `source`, oldest first, each once. Blocks.
std::vector<difyd::version> obtainable(const std::string& source);

// Removes what broken downloads left below `source` of this version and older ones. Blocks.
void remove_parts(const std::string& source, const difyd::version& newest);

// Lays files (by path below docker) out as <source>/dify-<version>/docker, whole or not at all; what is
// there under that name is replaced, and what a crash left of an earlier try is removed. Blocks.
Result<> lay_out(const std::vector<tree_file>& files, const std::string& source, const difyd::version& which);

// The same after find_bundle's checks, unless that version has a folder by now. `archive`: for messages.
Result<> lay_out_checked(const std::vector<tree_file>& files, const std::string& source,
                         const difyd::version& which, const std::string& archive);

}  // namespace difyd::release
