// What `difyd adopt` reads of an installation, of the release, of mounts and the engine; changes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/host/mounts.hpp"
#include "difyd/release/adopt.hpp"
#include "difyd/release/bundle.hpp"

namespace difyd::cli {

struct adopt_wish {
  std::string folder;
  std::string version;   // empty: by the images
  std::string project;   // empty: as it runs, or as docker compose would name it
  std::string releases;  // empty: the default of releases.source
  bool dry_run = false;
};

struct installation {
  std::string folder;  // with the compose file
  compose::project project;
  std::optional<release::bundle> bundle;  // of the same release, below releases.source
  release::adoption_facts facts;
  std::vector<release::service_difference> by_overrides;  // of docker-compose.override.yaml
  std::vector<std::string> override_files;
  std::vector<std::string> own_files;  // bound into containers and not, or otherwise, in the release
  std::vector<std::string> decide;
};

// Whether storage.root is a share of its own: sets kind, server and export. What an operator must decide
// where it lies within one; else empty. Pure.
std::string read_mount(const std::vector<host::mount>& mounts, config::storage_settings& storage);

// Errors: "adopt-folder", "adopt-version", "adopt-project", those of compose::load and of find_bundle.
Result<installation> read_installation(const adopt_wish& wish, const std::string& secrets);

}  // namespace difyd::cli
