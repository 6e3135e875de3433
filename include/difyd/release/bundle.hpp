// An unpacked Dify release as published: dify-<version>/docker below releases.source.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/model/version.hpp"

namespace difyd::release {

// Up to 1.14.0 a key of .env reaches a container only where the compose file names it; from
// 1.14.1 on the whole .env is an env_file of most services (Dify FACTS, "Layout after 1.12.1").
enum class layout { named_keys, env_file };

struct bundle {
  difyd::version version;
  std::string folder;        // absolute; holds the compose file and .env.example
  std::string compose_file;  // "docker-compose.yaml" or "docker-compose.yml"
  enum layout layout = layout::named_keys;
  std::string env_example;  // content of .env.example
};

// Blocks (files). Errors: "release-unknown" (no such folder; names those that are there),
// "release-incomplete" (compose file or .env.example missing), "release-mismatch" (the api
// image in the compose file has another version), "release-unsupported" (database type).
Result<bundle> find_bundle(const std::string& source, const difyd::version& wanted);

// The same of files that are not there yet: `read` gives one of the docker folder by its name, or
// "file-missing"; `folder` is for messages. Pure but for `read`.
using file_reader = std::function<Result<std::string>(const std::string& name)>;
Result<bundle> check_bundle(const difyd::version& wanted, const std::string& folder, const file_reader& read);

// Versions that have a folder below `source`, oldest first. Blocks.
std::vector<difyd::version> available(const std::string& source);

// Tag of the api image as the compose file has it, "" where there is none. Pure.
std::string api_image_tag(std::string_view compose_text);

}  // namespace difyd::release
