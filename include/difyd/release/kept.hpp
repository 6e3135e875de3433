// What the share keeps of a release, so that a new machine brings it up without the release's source:
//
//   .difyd/releases/<version>/manifest.json        written last: without it there is nothing
//   .difyd/releases/<version>/<content>/bundle/…   the files of the bundle
//   .difyd/releases/<version>/<content>/overlay/…  what the operator laid over them
//   .difyd/releases/<version>/<content>/environment, project.json
//
// <content> names the folder after what is in it, so that a change is a new folder and a crash leaves the
// former one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "difyd/base/tree.hpp"
#include "difyd/model/revision.hpp"
#include "difyd/release/working_copy.hpp"

namespace difyd::release {

struct kept_image {
  std::string id;
  std::string digest;  // of the registry: "name@sha256:…"; empty for an image that came from none

  friend bool operator==(const kept_image&, const kept_image&) = default;
};

struct kept {
  difyd::version version;
  difyd::revision revision;  // head of its api image
  std::string machine;       // that wrote it last
  std::string folder;        // <content>
  std::string bundle_hash;
  std::map<std::string, kept_image> images;  // by reference
  std::map<std::string, std::string> files;  // path below the folder -> sha256

  friend bool operator==(const kept&, const kept&) = default;
};

// What is to be kept of a release whose bundle is in `bundle` (its docker folder). Blocks.
Result<std::vector<tree_file>> files_to_keep(const std::string& bundle, const release& what);

kept describe(const release& what, const std::vector<tree_file>& files,
              std::map<std::string, kept_image> images, difyd::revision revision, std::string machine);

std::string to_json(const kept& manifest);
// Error "kept-damaged"; `place` names the file.
Result<kept> parse_kept(std::string_view text, const std::string& place);

// Error "kept-damaged" unless these are exactly the manifest's files.
Result<> check_kept(const kept& manifest, const std::vector<tree_file>& files);

// The text of the environment, empty where it is missing.
std::string environment_of(const std::vector<tree_file>& files);

overlay overlay_of(const std::vector<tree_file>& files);

// Lays the bundle out as <source>/dify-<version>/docker, whole or not at all; what is there under that
// name is replaced. Blocks.
Result<> restore_bundle(const std::vector<tree_file>& files, const std::string& source,
                        const difyd::version& which);

enum class bundle_state { missing, same, edited };

// The bundle below `source` beside the kept one. `edited` gets the paths that differ. Blocks.
bundle_state compare_bundle(const kept& manifest, const std::string& source,
                            std::vector<std::string>& edited);

// Paths of the overlay that are not as in the kept one, those that are no longer there included.
std::vector<std::string> compare_overlay(const kept& manifest, const overlay& now);

// What is to be done about an image of a release in force on a machine that did not run it yet.
// Pure; `here`: id of what has the reference now, empty for nothing; `id_here`: the kept id is on the engine.
enum class image_step {
  none,         // it is here
  tag,          // it is here without its name
  pull_digest,  // by the registry's digest, then it is tagged
  pull,         // by its name, then its id is compared
  refuse        // another image has its name, and nothing says where to get it from
};
image_step choose_image(const kept_image& in_force, const std::string& here, bool id_here);

}  // namespace difyd::release
